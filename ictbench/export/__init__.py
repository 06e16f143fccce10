"""Runs and suites as Hugging Face data sets: files on disk, a data set in memory, a repository on the Hub."""

from ictbench.export.export_run import export_run
from ictbench.export.export_tasks import export_tasks, task_dataset
from ictbench.export.hub import push
from ictbench.export.table_files import Format

__all__ = ["Format", "export_run", "export_tasks", "push", "task_dataset"]

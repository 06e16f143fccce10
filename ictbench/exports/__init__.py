"""Export of runs and suites as Hugging Face data sets: on disk, in memory, or on the Hub."""

from ictbench.export.export_run import export_run
from ictbench.export.export_tasks import export_tasks, task_dataset
from ictbench.export.hf_eval import export_hf_eval
from ictbench.export.hub import push
from ictbench.export.table_files import FileFormat

__all__ = ["FileFormat", "export_hf_eval", "export_run", "export_tasks", "push", "task_dataset"]

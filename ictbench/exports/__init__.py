"""Export of runs and suites as Hugging Face data sets: on disk, in memory, or on the Hub."""

from ictbench.exports.export_run import export
from ictbench.exports.export_tasks import export_tasks, task_dataset
from ictbench.exports.hf_eval import export_hf_eval
from ictbench.exports.hub import push
from ictbench.exports.table_files import FileFormat

__all__ = ["FileFormat", "export", "export_hf_eval", "export_tasks", "push", "task_dataset"]

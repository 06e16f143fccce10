"""Removal of the folder of a run that could not start."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from ictbench.errors import IctbenchError
from ictbench.records import Usage
from ictbench.runs.folder_lock import is_locked
from ictbench.runs.read_run import open_journal

if TYPE_CHECKING:
    from ictbench.runs.run_folder import RunFolder


def remove_if_nothing_happened(folder: RunFolder) -> None:
    """Remove the folder of a run that this process created, if it holds no episode, no reflection and no costs."""
    if not folder.journal.exists() or is_locked(folder.path):
        return
    try:
        with open_journal(folder) as journal:
            spent = Usage.model_validate(journal.get("spent", {}))
            happened = journal.count() or spent.calls or any(True for _ in journal.reflections())
    except IctbenchError:  # It cannot be read, so it is kept.
        return
    if not happened:
        shutil.rmtree(folder.path, ignore_errors=True)

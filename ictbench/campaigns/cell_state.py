"""State of a cell on disk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from ictbench.errors import RunFolderError
from ictbench.runs.read_run import open_journal
from ictbench.runs.run_folder import RunFolder

if TYPE_CHECKING:
    from pathlib import Path

Recorded = Literal["missing", "started", "complete"]


def recorded_state(folder: Path) -> tuple[Recorded, int]:
    """Return whether a cell is complete, and the number of its recorded episodes."""
    run = RunFolder(folder)
    if not run.journal.exists():
        return "missing", 0
    try:
        with open_journal(run) as journal:
            complete = bool(journal.get("complete")) and run.result.exists()
            return "complete" if complete else "started", journal.count()
    except RunFolderError:
        # A session that was killed early may have left a journal without tables; the next one continues it.
        return "started", 0

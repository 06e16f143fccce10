"""Reports of runs, written from their folders."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ictbench.errors import RunFolderError
from ictbench.runs.read_run import open_journal
from ictbench.runs.run_folder import RunFolder
from ictbench.web.report.episode_selection import DEFAULT_CHOICE
from ictbench.web.report.report_page import is_report, write_page
from ictbench.web.report.report_source import ReportSource

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ictbench.records import Episode
    from ictbench.runs.api import Run
    from ictbench.web.report.episode_selection import EpisodeChoice


def write_report(
    runs: Sequence[Run], out: str | Path | None = None, *, episodes: EpisodeChoice = DEFAULT_CHOICE
) -> Path:
    """Write one page that shows one or more runs side by side. It opens from disk and loads nothing.

    Args:
        runs: Runs that have a result.
        out: File to write. Default: `report.html` in the folder of a single run, or in the current folder for several.
        episodes: Trajectories in the page: "all", "test", "none", or a maximum per run (experience first, then test,
            selection, audit).

    Returns:
        The path of the page.

    Raises:
        RunFolderError: A run has no result, its journal is missing or damaged, or `out` cannot be written.
        ResultError: A result is damaged.
    """
    folders = [run.folder.resolve() for run in runs]
    if not runs:
        raise RunFolderError("a report needs at least one run")
    if len(set(folders)) < len(folders):
        raise RunFolderError("a report shows each run once, but the same run was given twice")
    sources = [
        ReportSource(folder.name, run.result, partial(_episodes, run))
        for folder, run in zip(folders, runs, strict=True)
    ]
    path = Path(out) if out is not None else (runs[0].folder if len(runs) == 1 else Path()) / "report.html"
    try:
        if path.exists() and not (path.is_file() and is_report(path)):
            raise RunFolderError(f"{path} exists and is not a report; choose another --out")
        path.parent.mkdir(parents=True, exist_ok=True)
        write_page(sources, episodes, path)
    except OSError as error:
        raise RunFolderError(f"{path} cannot be written ({error.strerror}); choose another --out") from error
    return path


def _episodes(run: Run) -> Iterator[Episode]:
    """Yield all recorded episodes of a run."""
    try:
        with open_journal(RunFolder(run.folder)) as journal:
            yield from journal.episodes()
    except RunFolderError as error:
        raise RunFolderError(f"{error}; --episodes none makes a report without trajectories") from error

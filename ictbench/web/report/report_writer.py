"""Reports of runs, written from their folders."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ictbench.errors import RunFolderError
from ictbench.results import Result
from ictbench.runs.api import Run, load_source
from ictbench.runs.memory_file import named_memories
from ictbench.runs.read_run import open_journal
from ictbench.runs.run_folder import RunFolder
from ictbench.submissions.episode_records import memories_in
from ictbench.web.report.episode_selection import DEFAULT_CHOICE
from ictbench.web.report.report_page import is_report, write_page
from ictbench.web.report.report_source import ReportSource

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ictbench.records import Episode, Memory
    from ictbench.runs.api import Source
    from ictbench.web.report.episode_selection import EpisodeChoice


def write_report(
    runs: Source | Sequence[Source], out: str | Path | None = None, *, episodes: EpisodeChoice = DEFAULT_CHOICE
) -> Path:
    """Write one page that shows one or more runs side by side. It opens from disk and loads nothing.

    Args:
        runs: Runs, their folders, or results; a result comes without trajectories. Of an unfinished run, which may be
            in progress, the page shows the loops that are finished.
        out: File to write. Default: `report.html` in the folder of a single run, or in the current folder for several.
        episodes: Trajectories in the page: "all", "test", "none", or a maximum per run (experience first, then test,
            selection, audit).

    Returns:
        The path of the page.

    Raises:
        RunFolderError: A folder is not that of a run, its journal is missing or damaged, or `out` cannot be written.
        ResultError: A result is damaged.
    """
    given = [runs] if isinstance(runs, (Run, Result, str, Path)) else list(runs)
    if not given:
        raise RunFolderError("a report needs at least one run")
    loaded = [load_source(source) for source in given]
    folders = [source.folder.resolve() for source in loaded if isinstance(source, Run)]
    if len(set(folders)) < len(folders):
        raise RunFolderError("a report shows each run once, but the same run was given twice")
    sources = [_source(source) for source in loaded]
    only = loaded[0] if len(loaded) == 1 else None
    path = Path(out) if out is not None else (only.folder if isinstance(only, Run) else Path()) / "report.html"
    try:
        if path.exists() and not (path.is_file() and is_report(path)):
            raise RunFolderError(f"{path} exists and is not a report; choose another --out")
        path.parent.mkdir(parents=True, exist_ok=True)
        write_page(sources, episodes, path)
    except OSError as error:
        raise RunFolderError(f"{path} cannot be written ({error.strerror}); choose another --out") from error
    return path


def _source(source: Run | Result) -> ReportSource:
    if isinstance(source, Result):
        return ReportSource(Path(source.host.folder or "result").name, source, lambda: iter(()))
    result = source.current_result()
    state = "" if result.complete else source.state.in_words
    name, memories = source.folder.resolve().name, partial(_memories, source, result)
    return ReportSource(name, result, partial(_episodes, source), state, memories)


def _memories(run: Run, result: Result) -> Iterator[Memory]:
    """Yield the memories that go with prompts of finished loops."""
    folder = RunFolder(run.folder)
    if run.is_complete:
        named = {prompt.memory for family in result.families for loop in family.loops for prompt in loop.prompts} - {""}
        if named and not folder.memories.exists():
            what = f"{folder.memories} is missing, with the {len(named)} memories that the result names"
            raise RunFolderError(f"{what}; copy it from where the run was played")
        yield from memories_in(folder.memories)
        return
    with open_journal(folder) as journal:
        yield from named_memories(journal, [loop for family in result.families for loop in family.loops])


def _episodes(run: Run) -> Iterator[Episode]:
    """Yield all recorded episodes of a run."""
    try:
        with open_journal(RunFolder(run.folder)) as journal:
            yield from journal.episodes()
    except RunFolderError as error:
        raise RunFolderError(f"{error}; --episodes none makes a report without trajectories") from error

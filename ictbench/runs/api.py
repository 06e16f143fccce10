"""Public functions of runs: run, dry_run, load_run, load_result."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

from ictbench.errors import (
    CompleteRunInterruptedError,
    MissingExtraError,
    PluginError,
    RunError,
    RunFolderError,
    RunInterruptedError,
    UsageError,
    stopped_by,
)
from ictbench.models import ModelPool
from ictbench.results import Result
from ictbench.results.html_table import html_table
from ictbench.results.result_file import read_result
from ictbench.results.rows import TABLES
from ictbench.rollout.remote.ray_starter import require_ray
from ictbench.runs.cost_estimate import DryRun, estimate
from ictbench.runs.engine import check_playable, open_players
from ictbench.runs.failed_start import remove_if_nothing_happened
from ictbench.runs.option_help import show_options
from ictbench.runs.options import Options
from ictbench.runs.own_classes import named_classes
from ictbench.runs.plan import make_plan
from ictbench.runs.progress_bar import progress_bar
from ictbench.runs.read_run import open_journal, read_rows
from ictbench.runs.run_folder import RunFolder, missing_path, new_run_id, no_result
from ictbench.runs.run_state import RunState, read_state
from ictbench.runs.session import run_session, write_run
from ictbench.runs.sync_loop import run_blocking
from ictbench.runs.unfinished import missing_episodes, partial_result
from ictbench.user_folders import expand_home

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pandas as pd
    from matplotlib.figure import Figure
    from pydantic import JsonValue

    from ictbench.records import Episode
    from ictbench.results.figures import Kind
    from ictbench.results.rows import Row, Table
    from ictbench.runs.option_types import RunOptions
    from ictbench.runs.progress import Progress
    from ictbench.runs.session import FinishedSession


@dataclass(frozen=True, slots=True, repr=False)
class Run:
    """A run on disk."""

    folder: Path
    _result: Result | None = field(default=None, repr=False)

    @property
    def result(self) -> Result:
        """Result of the run.

        Raises:
            RunFolderError: The run has no result yet.
            ResultError: The file of the result is damaged.
        """
        path = RunFolder(self.folder).result
        if self._result is None and not path.exists():
            raise RunFolderError(no_result(self.folder))
        return self._result or read_result(path)

    @property
    def state(self) -> RunState:
        """Whether the run is running, paused or complete, and how far it is.

        Raises:
            RunFolderError: The folder does not hold the plan of the run, or is damaged.
        """
        folder = RunFolder(self.folder)
        with open_journal(folder) as journal:
            return read_state(folder, journal)

    def missing_episodes(self) -> dict[str, int]:
        """Return how many episodes of each pool an unfinished run waits for now; later ones follow from these.

        Raises:
            RunFolderError: The folder does not hold the plan of the run, or is damaged.
        """
        folder = RunFolder(self.folder)
        with open_journal(folder) as journal:
            return missing_episodes(folder, journal)

    @property
    def is_complete(self) -> bool:
        """Whether the run has a complete result. Nothing but that is read."""
        return self._result is not None or (RunFolder(self.folder).result.exists() and self.result.complete)

    def current_result(self) -> Result:
        """Return the result, or that of the loops that are finished so far; a process may be playing the others.

        Raises:
            RunFolderError: The folder is damaged, or an older version of ictbench started the run.
            ResultError: The file of the result is damaged.
        """
        folder = RunFolder(self.folder)
        if self.is_complete or not folder.journal.exists():
            return self.result
        with open_journal(folder) as journal:
            if journal.get("plan") is None and folder.result.exists():
                return self.result
            return partial_result(folder, journal)

    def __repr__(self) -> str:
        return f"Run({str(self.folder)!r})"

    def _repr_html_(self) -> str:
        try:
            return self.current_result()._repr_html_()
        except UsageError as error:
            return html_table(str(self.folder), (), (), [str(error)])

    def plot(self, kind: Kind = "curves") -> Figure:
        """Return a matplotlib figure of the finished loops; a notebook shows it, and `savefig` writes it.

        Args:
            kind: `curves` for success on selection tasks by turn, `gains` for best − base on test tasks.

        Raises:
            ConfigError: There is no such kind.
            MissingExtraError: matplotlib is not installed (extra `plot`).
        """
        try:
            from ictbench.results.figures import draw_figure
        except ImportError as error:
            raise MissingExtraError("run.plot()", "plot", str(error)) from error
        return draw_figure(self.current_result(), kind)

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return the aggregate tables, by name."""
        from ictbench.results.tables import tables

        return tables(self.result)

    def episode_keys(self, prefix: str = "") -> list[str]:
        """Return the keys of all recorded episodes that start with `prefix`."""
        with open_journal(RunFolder(self.folder)) as journal:
            return journal.keys(prefix)

    def rows(self, table: Table) -> Iterator[Row]:
        """Yield the rows of `episodes`, `reflections` or `results` one at a time, as all may not fit into memory.

        `ictbench.results.rows` describes the fields. A run without a result has episodes only.

        Raises:
            RunFolderError: The run has no result yet, or the journal is missing, damaged, or of another run.
            ResultError: The result is damaged.
        """
        folder = RunFolder(self.folder)
        unfinished = table == "episodes" and not self._result and not folder.result.exists()
        return read_rows(folder, None if unfinished else self.result, table)

    def episodes(self, *, steps: bool = False) -> pd.DataFrame:
        """Return all recorded episodes, one per row; `steps` adds steps and last observations, which are large."""
        return self._frame("episodes", () if steps else ("steps", "last_observation"))

    def reflections(self) -> pd.DataFrame:
        """Return the turns of all finished loops, one per row."""
        return self._frame("reflections")

    def results(self) -> pd.DataFrame:
        """Return all finished loops, one per row, with the outcomes under each prompt."""
        return self._frame("results")

    def episode(self, key: str) -> Episode:
        """Return one recorded episode, by its key or an unambiguous beginning of it.

        Raises:
            RunFolderError: No episode, or more than one, has such a key.
        """
        with open_journal(RunFolder(self.folder)) as journal:
            episode = journal.episode(key)
            keys = [] if episode else journal.keys(key)
            if len(keys) == 1:
                episode = journal.episode(keys[0])
        if episode:
            return episode
        if not keys:
            raise RunFolderError(f"{self.folder} has no episode {key!r}; {self._key_hint(key)}")
        examples = ", ".join(keys[:3])
        raise RunFolderError(
            f"{len(keys)} episodes of {self.folder} start with {key!r}, e.g. {examples}; give more of the key"
        )

    def _key_hint(self, key: str) -> str:
        """Return which keys the run has instead of an unknown one."""
        family = key.partition("-")[0] + "-"
        keys = self.episode_keys(family)
        start = family if keys else ""
        examples = f"keys are e.g. {', '.join((keys or self.episode_keys())[:2])}; " if keys or not start else ""
        return (
            f"{examples}list them with `ictbench show {shlex.quote(str(self.folder))} --episodes {start or repr('')}`"
        )

    def _frame(self, table: Table, excluded: tuple[str, ...] = ()) -> pd.DataFrame:
        import pandas as pd

        columns = [name for name in TABLES[table].model_fields if name not in excluded]
        rows = (row.model_dump(mode="json", include=set(columns)) for row in self.rows(table))
        return pd.DataFrame(list(rows), columns=columns)


Source = Run | Result | str | Path
"""A run, its result, its folder, or the file of a result."""


@show_options
def run(
    *,
    out: str | Path | None = None,
    on_start: Callable[[Path, Progress], None] | None = None,
    quiet: bool | None = None,
    **options: Unpack[RunOptions],
) -> Run:
    """Run the protocol and write the folder of the run.

    A folder that holds the same run is continued: nothing that it records is played again.

    Args:
        out: Folder of the run; None for a new one in `runs/`.
        on_start: Receives the folder and the live progress, which it may read at any time from any thread.
        quiet: True shows no progress bar, False always one; None shows one in a notebook and on a terminal, unless
            `on_start` is given.
        options: Options of the run; see below, or `ictbench run --help`. `actor`, `reflector` and `env` also take the
            class itself.

    Raises:
        UsageError: Something requested does not exist or does not fit; nothing was played.
        RunError: The run stopped early; everything finished is recorded.
    """
    named, classes = named_classes(options)
    plan = make_plan(Options.parse(named))
    folder = RunFolder(
        expand_home(out) if out is not None else Path("runs") / new_run_id(plan.suite.name, plan.reflector.label)
    )
    loops = list(plan.loops())
    identity: dict[str, JsonValue] = {"classes": {**classes}} if classes else {}
    is_new, written = not folder.path.exists(), list[Result]()

    def write(session: FinishedSession) -> Result:
        written.append(write_run(session))
        return written[-1]

    try:
        with progress_bar(True if on_start and quiet is None else quiet) as bar:
            started = _both(on_start, bar)
            result = run_blocking(lambda: run_session(plan, loops, folder, started, write, identity))
    except PluginError:  # Its traceback is in the folder.
        raise
    except (UsageError, RunError):
        if is_new:
            remove_if_nothing_happened(folder)
        raise
    except KeyboardInterrupt as error:
        if written and written[-1].complete:
            raise CompleteRunInterruptedError(
                f"{stopped_by(error)} after the run was complete; its result is in {folder.path}"
            ) from error
        raise RunInterruptedError(f"{stopped_by(error)}; everything finished is recorded in {folder.path}") from error
    return Run(folder.path, result)


@show_options
def dry_run(*, ask: bool = False, **options: Unpack[RunOptions]) -> DryRun:
    """Make the same checks as `run`, and return what the run would do at most, its time, and the cost of its models.

    Nothing is recorded. A few episodes are played, from which time and inputs of models are estimated: by the actor if
    it only computes, or else by a random one.

    Args:
        ask: Whether each model is rehearsed and asked a few times, so that replies are measured instead of assumed.
        options: Options of the run; see below, or `ictbench run --help`.

    Raises:
        UsageError: Something requested does not exist or does not fit.
        RunError: A model that is asked does not answer, or rejects the requests of the run.
    """
    plan = make_plan(Options.parse(named_classes(options)[0]))
    if plan.options.executor == "ray":
        require_ray()
    loops = list(plan.loops())
    check_playable(plan, loops)
    open_players(plan, ModelPool())
    return run_blocking(lambda: estimate(plan, loops, ask=ask))


def load_result(path: str | Path) -> Result:
    """Load a result from the folder of a run or from a result file.

    Raises:
        RunFolderError: The folder is not the folder of a run, or the run has no result yet.
        ResultError: The file cannot be read, or is not a result.
    """
    path = Path(path)
    if not path.exists():
        raise RunFolderError(missing_path(path, "the folder of a run, or a result file", files=True))
    if not path.is_dir():
        # The user named the file; only a link in a folder may be a stranger's.
        return read_result(path.resolve() if path.is_symlink() else path)
    stored = RunFolder(path).result
    return read_result(stored) if stored.exists() else load_run(path).result


def _both(
    first: Callable[[Path, Progress], None] | None, second: Callable[[Path, Progress], None] | None
) -> Callable[[Path, Progress], None]:
    """Return a function that calls those of the two that exist."""

    def call(folder: Path, progress: Progress) -> None:
        for function in (first, second):
            if function:
                function(folder, progress)

    return call


def load_source(source: Source) -> Run | Result:
    """Return a run or a result as it is, and what lies at a path: the folder of a run, or the file of a result.

    Raises:
        UsageError: It is none of these.
        RunFolderError: Nothing lies there, or a folder that is not that of a run.
        ResultError: The file is not a result.
    """
    if isinstance(source, str | Path):
        path = expand_home(source)
        return load_run(path) if path.is_dir() else load_result(path)
    if not isinstance(source, Run | Result):
        raise UsageError(f"{source!r:.80} is not a run; give a run, a result, or the path of either")
    return source


def result_of(source: Source) -> Result:
    """Return the result of a run, of the folder of a run, or in a file; a result is returned as it is.

    Raises:
        RunFolderError: A run has no result yet, or nothing lies at the path.
        ResultError: The result is damaged.
    """
    loaded = load_source(source)
    return loaded.result if isinstance(loaded, Run) else loaded


def load_run(path: str | Path) -> Run:
    """Load a run from its folder; an unfinished run has episodes, but no result yet.

    Raises:
        RunFolderError: The folder is not the folder of a run.
    """
    RunFolder(Path(path)).read_config()
    return Run(Path(path))

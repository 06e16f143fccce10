"""The public calls: run, dry_run, load_run."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

from ictbench.errors import RunFolderError, RunInterruptedError
from ictbench.models import ModelPool
from ictbench.results.result_file import read_result
from ictbench.results.rows import TABLES
from ictbench.runs.option_help import show_options
from ictbench.runs.options import Options
from ictbench.runs.plan import make_plan
from ictbench.runs.read_run import read_rows, reading
from ictbench.runs.run_folder import RunFolder, new_run_id
from ictbench.runs.session import check_env, open_players, run_session, write_run
from ictbench.runs.sync_loop import run_blocking

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pandas as pd

    from ictbench.records import Episode
    from ictbench.results import Result
    from ictbench.results.rows import Row, Table
    from ictbench.runs.option_types import RunOptions
    from ictbench.runs.progress import Progress


@dataclass(frozen=True, slots=True)
class Run:
    """A run on disk."""

    folder: Path
    _result: Result | None = field(default=None, repr=False)

    @property
    def result(self) -> Result:
        """The run's result.

        Raises:
            RunFolderError: it has none yet.
            ResultError: its file is damaged.
        """
        path = RunFolder(self.folder).result
        if self._result is None and not path.exists():
            raise RunFolderError(
                f"{self.folder} has no result yet; continue its run: the same options, with --out "
                f"{shlex.quote(str(self.folder))}"
            )
        return self._result or read_result(path)

    def tables(self) -> dict[str, pd.DataFrame]:
        """The aggregate tables, by name."""
        from ictbench.results.tables import tables

        return tables(self.result)

    def episode_keys(self, prefix: str = "") -> list[str]:
        """Keys of all recorded episodes that start with `prefix`."""
        with reading(RunFolder(self.folder)) as journal:
            return journal.keys(prefix)

    def rows(self, table: Table) -> Iterator[Row]:
        """Rows of `episodes`, `reflections` or `results`, one at a time: a large run's need not fit into memory.

        `ictbench.results.rows` says what each field means. A run without a result has episodes only.

        Raises:
            RunFolderError: there is no result yet, or the journal is missing, damaged, or another run's.
            ResultError: the result is damaged.
        """
        folder = RunFolder(self.folder)
        unfinished = table == "episodes" and not self._result and not folder.result.exists()
        return read_rows(folder, None if unfinished else self.result, table)

    def episodes(self, *, steps: bool = False) -> pd.DataFrame:
        """All recorded episodes, one a row; with their steps and last observations if asked for, which are large."""
        return self._frame("episodes", () if steps else ("steps", "last_observation"))

    def reflections(self) -> pd.DataFrame:
        """The turns of all finished loops, one a row."""
        return self._frame("reflections")

    def results(self) -> pd.DataFrame:
        """All finished loops, one a row, with what was solved under which prompt."""
        return self._frame("results")

    def episode(self, key: str) -> Episode:
        """One recorded episode, by its key or an unambiguous beginning of it.

        Raises:
            RunFolderError: there is none, or several.
        """
        with reading(RunFolder(self.folder)) as journal:
            keys = [key] if (found := journal.episode(key)) else journal.keys(key)
            if found or (len(keys) == 1 and (found := journal.episode(keys[0]))):
                return found
        if not keys:
            raise RunFolderError(f"{self.folder} has no episode {key!r}; a key reads like read-20003@0f2a…")
        some = ", ".join(keys[:3])
        raise RunFolderError(
            f"{len(keys)} episodes of {self.folder} start with {key!r}, e.g. {some}; say more of the key"
        )

    def _frame(self, table: Table, left_out: tuple[str, ...] = ()) -> pd.DataFrame:
        import pandas as pd

        columns = [name for name in TABLES[table].model_fields if name not in left_out]
        rows = (row.model_dump(mode="json", include=set(columns)) for row in self.rows(table))
        return pd.DataFrame(list(rows), columns=columns)


@show_options
def run(
    *,
    out: str | Path | None = None,
    on_start: Callable[[Path, Progress], None] | None = None,
    **options: Unpack[RunOptions],
) -> Run:
    """Run the protocol and write its folder, `out` or a new one under `runs/`.

    A folder that holds the same run is continued: nothing that it records is played again. `on_start` is told the
    folder and the live counts, which it may read at any time from any thread.

    Raises:
        UsageError: something asked for does not exist or does not fit; nothing was played.
        RunError: the run stopped before its end; what it finished is recorded.
    """
    plan = make_plan(Options.parse(options))
    folder = RunFolder(
        Path(out) if out is not None else Path("runs") / new_run_id(plan.suite.name, plan.reflector.label)
    )
    loops = list(plan.loops())
    try:
        result = run_blocking(lambda: run_session(plan, loops, folder, on_start, write_run))
    except KeyboardInterrupt as error:
        raise RunInterruptedError(f"stopped; everything finished is recorded in {folder.path}") from error
    return Run(folder.path, result)


@show_options
def dry_run(**options: Unpack[RunOptions]) -> dict[str, int]:
    """The most episodes, reflections and calls to models that a run can take, after the same checks.

    Raises:
        UsageError: as `run` would.
    """
    plan = make_plan(Options.parse(options))
    check_env(plan, list(plan.loops()))
    open_players(plan, ModelPool())
    return plan.episode_bounds()


def load_result(path: str | Path) -> Result:
    """A result: of a run's folder, or from a result file that stands alone.

    Raises:
        RunFolderError: the folder is no run's, or its run has no result yet.
        ResultError: the file cannot be read, or holds no result.
    """
    path = Path(path)
    if not path.is_dir():
        return read_result(path)
    stored = RunFolder(path).result
    return read_result(stored) if stored.exists() else load_run(path).result


def load_run(path: str | Path) -> Run:
    """A run from its folder; one that is not finished has no result yet, but episodes.

    Raises:
        RunFolderError: it is no run's folder.
    """
    RunFolder(Path(path)).read_config()
    return Run(Path(path))

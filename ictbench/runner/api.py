"""The public calls: run, dry_run, load_run."""

from __future__ import annotations

import asyncio
import shlex
import time
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

from ictbench.engine import InlineExecutor
from ictbench.errors import IctbenchError, RunFolderError, RunInterruptedError
from ictbench.models import open_model
from ictbench.reflectors import make_reflector
from ictbench.resolve import resolve
from ictbench.results import Result
from ictbench.runner.background import run_blocking
from ictbench.runner.drive import Drive
from ictbench.runner.folder import RunFolder, new_run_id
from ictbench.runner.journal import Journal
from ictbench.runner.ledger import Ledger
from ictbench.runner.outcome import build_result, write_outcome
from ictbench.runner.plan import Options, RunPlan, make_plan
from ictbench.runner.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pandas as pd

    from ictbench.models import ChatModel
    from ictbench.protocol import LoopPlan
    from ictbench.records import Episode
    from ictbench.suites.suite import ProfileName


SCRIPTED_IN_FLIGHT = 2
"""Episodes at a time without a model: there is no latency to hide, and every one costs an environment."""


class OptionsDict(TypedDict, total=False):
    """The options of a run; `ictbench.runner.plan.Options` says what each means."""

    env: str | None
    suite: str | None
    reflector: str
    actor: str | None
    families: str | Sequence[str]
    profile: ProfileName
    turns: int | None
    batch_size: int | None
    loops: int | None
    selection_size: int | None
    test_size: int | None
    test_every_turn: bool
    max_steps: int | None
    actor_max_tokens: int | None
    reflector_base_url: str | None
    actor_base_url: str | None
    max_connections: int


@dataclass(frozen=True, slots=True)
class Run:
    """A run on disk."""

    folder: Path
    result: Result

    def tables(self) -> dict[str, pd.DataFrame]:
        """The aggregate tables, by name."""
        from ictbench.results.tables import tables

        return tables(self.result)

    def episode_keys(self, prefix: str = "") -> list[str]:
        """Keys of all recorded episodes that start with `prefix`."""
        with closing(self._journal()) as journal:
            return journal.keys(prefix)

    def episode(self, key: str) -> Episode:
        """One recorded episode, by its key or an unambiguous beginning of it.

        Raises:
            RunFolderError: there is none, or several.
        """
        with closing(self._journal()) as journal:
            keys = [key] if (found := journal.episode(key)) else journal.keys(key)
            if found or (len(keys) == 1 and (found := journal.episode(keys[0]))):
                return found
        if not keys:
            raise RunFolderError(f"{self.folder} has no episode {key!r}; a key reads like read-20003@0f2a…")
        some = ", ".join(keys[:3])
        raise RunFolderError(
            f"{len(keys)} episodes of {self.folder} start with {key!r}, e.g. {some}; say more of the key"
        )

    def _journal(self) -> Journal:
        path = RunFolder(self.folder).journal
        if not path.exists():
            raise RunFolderError(f"{path} is missing, and it holds the episodes")
        return Journal(path)


def run(
    *,
    out: str | Path | None = None,
    on_start: Callable[[Path, Progress], None] | None = None,
    **options: Unpack[OptionsDict],
) -> Run:
    """Run the protocol and write its folder, `out` or a new one under `runs/`.

    A folder that holds the same run is continued: nothing that it records is played again. `on_start` is told the
    folder and the live counts, which it may read at any time from any thread.

    Raises:
        UsageError: something asked for does not exist or does not fit; nothing was played.
        RunError: the run stopped before its end; what it finished is recorded.
    """
    plan = make_plan(Options.parse(dict(options)))
    folder = RunFolder(
        Path(out) if out is not None else Path("runs") / new_run_id(plan.suite.name, plan.reflector.label)
    )
    loops = list(plan.loops())
    try:
        return run_blocking(lambda: _run(plan, loops, folder, on_start))
    except KeyboardInterrupt as error:
        raise RunInterruptedError(f"stopped; everything finished is recorded in {folder.path}") from error


def dry_run(**options: Unpack[OptionsDict]) -> dict[str, int]:
    """The most episodes, reflections and calls to models that a run can take, after the same checks.

    Raises:
        UsageError: as `run` would.
    """
    plan = make_plan(Options.parse(dict(options)))
    for _ in plan.loops():
        pass
    return plan.episode_bounds()


def load_run(path: str | Path) -> Run:
    """A finished run from its folder.

    Raises:
        RunFolderError: it is no run's folder, or the run has no result yet.
    """
    folder = RunFolder(Path(path))
    folder.read_config()
    if not folder.result.exists():
        raise RunFolderError(
            f"{folder.path} has no result yet; continue its run: the same options, with --out {shlex.quote(str(path))}"
        )
    return Run(folder.path, Result.read(folder.result))


async def _run(
    plan: RunPlan, loops: list[LoopPlan], folder: RunFolder, on_start: Callable[[Path, Progress], None] | None
) -> Run:
    versions = await asyncio.to_thread(_env_versions, plan.suite.env)
    actor_model = open_model(plan.actor.model) if plan.actor.model else None
    reflector_model = open_model(plan.reflector.model) if plan.reflector.model else None
    reflector = make_reflector(plan.reflector, reflector_model)
    with folder.claim({**plan.identity(), "versions": versions}), closing(Journal(folder.journal)) as journal:
        clock = time.monotonic()
        journal.note("started", journal.get("started") or datetime.now(UTC).isoformat(timespec="seconds"))
        executor = InlineExecutor(plan.max_connections if plan.actor.model else SCRIPTED_IN_FLIGHT)
        if plan.actor.model and actor_model:
            executor.worker.adopt(plan.actor.model, actor_model)
        progress = Progress.of(plan, found=len(journal.keys()))
        ledger = Ledger(journal, executor, progress)
        if on_start:
            on_start(folder.path, progress)
        try:
            outcomes = await Drive(plan, ledger, journal, reflector, progress).run(loops)
        except BaseExceptionGroup as group:
            raise _gravest(group) from None
        finally:
            await ledger.aclose()
            await executor.aclose()
            if reflector_model:
                await reflector_model.aclose()
            _note_fingerprints(journal, {"actor": actor_model, "reflector": reflector_model})
            journal.note("seconds", journal.get("seconds", 0.0) + time.monotonic() - clock)
        result = build_result(plan, outcomes, ledger, journal, versions, folder.path)
        write_outcome(folder, journal, result)
    return Run(folder.path, result)


def _env_versions(name: str) -> dict[str, str]:
    """Make one environment, so that a missing package is told before anything is played."""
    env = resolve("env", name)()
    versions: dict[str, str] = env.versions()
    env.close()
    return versions


def _gravest(group: BaseExceptionGroup[Any]) -> BaseException:
    """The one error to report of several: a bug before our own errors, which name what the user can do."""
    leaves = [error for error in _leaves(group) if not isinstance(error, asyncio.CancelledError)]
    return min(leaves, key=lambda error: isinstance(error, IctbenchError))


def _leaves(error: BaseException) -> list[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        return [leaf for inner in error.exceptions for leaf in _leaves(inner)]
    return [error]


def _note_fingerprints(journal: Journal, models: dict[str, ChatModel | None]) -> None:
    """A sitting in which a model never answered has nothing to say about it."""
    for role, model in models.items():
        if model is not None and model.fingerprint is not None:
            journal.note(f"{role}_fingerprint", model.fingerprint)

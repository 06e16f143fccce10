"""Session of a run: one process that plays what its folder does not hold yet, and writes its files."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import AsyncExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from ictbench.errors import EndpointDownError, IctbenchError, InfrastructureError, PluginError
from ictbench.protocol import episode_uses
from ictbench.records import Usage
from ictbench.results.notes import model_remarks
from ictbench.runs.circuit_breaker import CircuitBreaker
from ictbench.runs.engine import check_playable, open_engine, open_players
from ictbench.runs.episode_store import EpisodeStore
from ictbench.runs.failure_watch import FailureWatch
from ictbench.runs.identical_repeats import refuse_reproducible_repeats
from ictbench.runs.invalid_watch import InvalidWatch
from ictbench.runs.journal import Journal
from ictbench.runs.memory_file import write_memories
from ictbench.runs.player_rehearsal import Rehearsed, rehearse_players
from ictbench.runs.progress import Progress
from ictbench.runs.recall import Recalls
from ictbench.runs.rehearsal_record import check_rehearsal, record_rehearsal, with_recorded_adaptations
from ictbench.runs.retry import failures_to_repeat
from ictbench.runs.run_log import log_to_file
from ictbench.runs.scheduler import Scheduler
from ictbench.runs.unfinished import note_plan
from ictbench.runs.write_run import build_result, write_episodes, write_outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from pydantic import JsonValue

    from ictbench.models import ModelClient, ModelPool, UsageMeter
    from ictbench.protocol import LoopPlan, LoopResult
    from ictbench.results import Result
    from ictbench.runs.engine import Engine
    from ictbench.runs.failure_watch import PlayerRole
    from ictbench.runs.plan import RunPlan
    from ictbench.runs.run_folder import RunFolder

T = TypeVar("T")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class FinishedSession:
    """Outcome of a session, while its journal is still open."""

    plan: RunPlan
    loops: dict[str, list[LoopResult]]
    """Finished loops by family."""
    store: EpisodeStore
    journal: Journal
    versions: dict[str, str]
    """Versions of the packages that determine the behaviour of the environment."""
    folder: RunFolder


@dataclass(frozen=True, slots=True)
class Opening:
    """How a session opens its engine, if it shares it with sessions of other runs."""

    engine: Callable[[RunPlan], AbstractAsyncContextManager[Engine]]
    versions: dict[str, str]
    """Versions that `check_playable` has returned for the plan."""


async def run_session(
    plan: RunPlan,
    loops: list[LoopPlan],
    folder: RunFolder,
    on_start: Callable[[Path, Progress], None] | None,
    write: Callable[[FinishedSession], T],
    identity: Mapping[str, JsonValue] | None = None,
    opening: Opening | None = None,
) -> T:
    """Play what the folder does not hold yet, and return what `write` makes of it.

    Args:
        plan: Plan of the run.
        loops: Loops to play.
        folder: Folder of the run.
        on_start: Receives the folder and the live progress before anything is played.
        write: Writes the files of the run.
        identity: Fields, besides those of the plan, in which the folder must agree with its earlier sessions.
        opening: How to open the engine, where several runs share one.

    Raises:
        UsageError: Something does not fit; nothing was played.
        RunError: The run stopped early; everything finished is recorded.
    """
    versions = opening.versions if opening else await asyncio.to_thread(check_playable, plan, loops)
    plan = with_recorded_adaptations(plan, folder)
    async with AsyncExitStack() as stack:
        # Before the folder is created: players that cannot work leave nothing behind.
        engine = await stack.enter_async_context(opening.engine(plan) if opening else open_engine(plan))
        fields: dict[str, JsonValue] = {**(identity or {}), "versions": dict(versions)}
        stack.enter_context(folder.claim({**plan.identity(), **fields}))
        stack.enter_context(log_to_file(folder.log, plan.options.log_level))
        journal = stack.enter_context(closing(Journal(folder.journal)))
        note_plan(journal, plan, versions)
        failures = failures_to_repeat(journal, loops, plan.options.retry_failed, plan.options.accept_failures)
        kept = journal.count() - len(failures.episodes)
        progress = Progress.of(plan, engine.meter, resumed=kept, executor=engine.executor)
        log.info("session starts with %d episodes in the journal; %s", progress.resumed, plan.in_words())
        engine.meter.on_first_retry = lambda reason: progress.note(f"a request is tried again: {reason}")
        if on_start:
            on_start(folder.path, progress)
        with account(journal, engine.meter), _pointing_to(folder.log):
            rehearsed = await _rehearse(plan, loops, engine, journal, repeat=bool(failures))
            check_rehearsal(rehearsed, plan, folder, kept)
            # Not before the model has answered: a session that stops here leaves what is recorded as it is.
            failures.forget(journal)
            plan = record_rehearsal(rehearsed, plan, folder, journal, fields)
            refuse_reproducible_repeats(plan, journal.get("reproducible", {}).get("actor"))
            for remark in rehearsed.remarks:
                progress.note(remark)
            for part in rehearsed.parts:
                for remark in model_remarks(part.role, part.spec, rehearsed.reproducible.get(part.role)):
                    progress.note(remark)
            breaker = CircuitBreaker(partial(rehearsed.probe, engine.models), progress, plan.options.outage_pause)
            stack.push_async_callback(breaker.aclose)
            labels: dict[PlayerRole, str] = {"actor": plan.actor.label, "reflector": plan.reflector.label}
            watch = FailureWatch(labels, plan.options.accept_failures, journal)
            progress.failures = watch.counts
            invalid = InvalidWatch(plan.actor, progress.note, started=bool(kept))
            store = EpisodeStore(
                journal,
                engine.executor,
                progress,
                breaker,
                watch,
                slots=engine.slots,
                versions=versions,
                on_episode=invalid.add,
            )
            reflector = open_players(plan, engine.models)
            # An instance of its own: what `recall` sees of selection and test tasks does not reach `reflect`.
            recalling = open_players(plan, engine.models) if plan.traits.division == "memory" else reflector
            recalls = Recalls(recalling, plan.reflector.label, engine.executor)
            scheduler = Scheduler(plan, store, journal, reflector, progress, watch, recalls)
            finished = await _play(plan, loops, engine.models, scheduler)
        return write(FinishedSession(plan, finished, store, journal, versions, folder))


def write_run(session: FinishedSession) -> Result:
    """Write the files of a run: episodes, tables, result."""
    loops = [loop for finished in session.loops.values() for loop in finished]
    # A repeated reflection may write another prompt than before: what was played under that one belongs to no loop.
    needed = {use.key for loop in loops for use in episode_uses(loop)} if session.journal.get("complete") else None
    write_episodes(session.folder, session.journal, needed)
    if session.plan.traits.division == "memory":
        write_memories(session.folder, session.journal, loops)
    result = build_result(
        session.plan, session.loops, session.store.owed, session.journal, session.versions, session.folder.path
    )
    write_outcome(session.folder, session.journal, result)
    return result


async def _play(
    plan: RunPlan, loops: list[LoopPlan], models: ModelPool, scheduler: Scheduler
) -> dict[str, list[LoopResult]]:
    """Play what is missing, and note the identity of the models."""
    journal = scheduler.journal
    try:
        finished = await scheduler.run(loops)
        if not scheduler.store.owed:
            scheduler.watch.finish()
        journal.note("complete", sum(map(len, finished.values())) == len(loops))
    except BaseExceptionGroup as group:
        raise _most_severe(group) from None
    finally:
        await scheduler.recalls.aclose()
        await scheduler.store.aclose()
        _note_identities(journal, plan, models)
    return finished


async def _rehearse(
    plan: RunPlan, loops: Sequence[LoopPlan], engine: Engine, journal: Journal, *, repeat: bool
) -> Rehearsed:
    """Let all models answer the kind of requests that the run makes; nothing is asked if nothing is left to play.

    Raises:
        EndpointDownError: A model does not answer, or its server rejects the requests.
    """
    if journal.get("complete") and not repeat:
        return Rehearsed(plan, (), {})
    try:
        return await rehearse_players(plan, loops[0].batches[0][0], engine.models, engine.executor)
    except InfrastructureError as error:
        raise EndpointDownError(str(error)) from error
    finally:
        _note_identities(journal, plan, engine.models)


def _note_identities(journal: Journal, plan: RunPlan, models: ModelPool) -> None:
    for role, player in (("actor", plan.actor), ("reflector", plan.reflector)):
        if player.model:
            _note_identity(journal, role, models.open(player.model))


def _note_identity(journal: Journal, role: str, model: ModelClient) -> None:
    """Note a model's address and fingerprint; the result reports a fingerprint that changed between sessions."""
    journal.note("addresses", {**journal.get("addresses", {}), role: model.address})
    seen = journal.get(f"{role}_fingerprints", [])
    if model.fingerprint is not None and model.fingerprint not in seen[-1:]:
        journal.note(f"{role}_fingerprints", [*seen, model.fingerprint])


@contextmanager
def _pointing_to(log_file: Path) -> Iterator[None]:
    """Say in an error of a plug-in's code where its traceback is."""
    try:
        yield
    except PluginError as error:
        if getattr(error, "__notes__", ()):
            error.args = (f"{error}; the traceback is in {log_file}",)
        raise


@contextmanager
def account(journal: Journal, meter: UsageMeter) -> Iterator[None]:
    """Add the time and usage of this session to those of earlier ones."""
    clock = time.monotonic()
    journal.note("started", journal.get("started") or datetime.now(UTC).isoformat(timespec="seconds"))
    meter.spent = Usage.model_validate(journal.get("spent", {}))
    try:
        yield
    except BaseException as error:
        log.warning("session stops: %s", str(error) or "interrupted")
        for note in getattr(error, "__notes__", ()):
            log.warning("%s", note)
        if isinstance(error, Exception) and not isinstance(error, IctbenchError):
            log.warning("", exc_info=error)
        raise
    else:
        log.info("session is complete")
    finally:
        journal.note("seconds", journal.get("seconds", 0.0) + time.monotonic() - clock)
        journal.note("spent", meter.spent.model_dump(mode="json"))


def _most_severe(group: BaseExceptionGroup[Any]) -> BaseException:
    """Return the error to report: a bug precedes our own errors, which name what the user can do."""
    leaves = [error for error in _leaves(group) if not isinstance(error, asyncio.CancelledError)]
    return min(leaves, key=lambda error: isinstance(error, IctbenchError))


def _leaves(error: BaseException) -> list[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        return [leaf for inner in error.exceptions for leaf in _leaves(inner)]
    return [error]

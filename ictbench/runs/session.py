"""One sitting of a run: everything between its plan and its files."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import AsyncExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from ictbench.actors import make_actor
from ictbench.envs import TextEnv
from ictbench.errors import ConfigError, EndpointDownError, IctbenchError, InfrastructureError
from ictbench.models import ModelPool, UsageMeter
from ictbench.models.prices import find_price
from ictbench.models.response_cache import ResponseCache
from ictbench.plugins import resolve
from ictbench.records import Usage
from ictbench.reflectors import make_reflector
from ictbench.rollout import EpisodeWorker, Executor, InlineExecutor, ProcessStarter, RayStarter, WorkerPool, cores
from ictbench.runs.circuit_breaker import CircuitBreaker
from ictbench.runs.episode_store import EpisodeStore
from ictbench.runs.journal import Journal
from ictbench.runs.progress import Progress
from ictbench.runs.retry import play_again
from ictbench.runs.run_log import logged
from ictbench.runs.scheduler import Scheduler
from ictbench.runs.write_run import build_result, write_episodes, write_outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pydantic import JsonValue

    from ictbench.models import ModelClient
    from ictbench.protocol import LoopOutcome, LoopPlan
    from ictbench.reflectors import Reflector
    from ictbench.results import Result
    from ictbench.runs.plan import RunPlan
    from ictbench.runs.run_folder import RunFolder

T = TypeVar("T")

log = logging.getLogger(__name__)

SCRIPTED_IN_FLIGHT = 2
"""Episodes at a time, a worker, of an actor that only computes: no latency to hide, and each costs an environment."""


@dataclass(frozen=True, slots=True)
class Played:
    """What a sitting leaves behind, while its journal is still open."""

    plan: RunPlan
    outcomes: list[LoopOutcome]
    """Of the loops that are finished."""
    ledger: EpisodeStore
    journal: Journal
    versions: dict[str, str]
    """Of the packages that the environment's behaviour depends on."""
    folder: RunFolder


def write_run(played: Played) -> Result:
    """Write the files of a run: episodes, tables, result."""
    write_episodes(played.folder, played.journal)
    result = build_result(
        played.plan, played.outcomes, played.ledger, played.journal, played.versions, played.folder.path
    )
    write_outcome(played.folder, played.journal, result)
    return result


async def run_session(
    plan: RunPlan,
    loops: list[LoopPlan],
    folder: RunFolder,
    on_start: Callable[[Path, Progress], None] | None,
    write: Callable[[Played], T],
    **identity: JsonValue,
) -> T:
    """Play what the folder does not hold yet, and `write` what follows.

    `identity` is what the folder must have in common with its earlier sittings, besides the plan.

    Raises:
        UsageError: something does not fit; nothing was played.
        RunError: the run stopped before its end.
    """
    versions = await asyncio.to_thread(check_env, plan, loops)
    async with AsyncExitStack() as stack:
        cache = stack.enter_context(closing(ResponseCache(plan.cache))) if plan.cache else None
        meter = UsageMeter(plan.limits)
        models = ModelPool(meter, cache)
        stack.push_async_callback(models.aclose)
        # Opened before the folder is, so that players which cannot work leave nothing behind.
        reflector = open_players(plan, models)
        executor, capacity = await open_executor(plan, models, meter)
        stack.push_async_callback(executor.aclose)
        stack.enter_context(folder.claim({**plan.identity(), "versions": versions, **identity}))
        stack.enter_context(logged(folder.log, plan.log_level))
        journal = stack.enter_context(closing(Journal(folder.journal)))
        play_again(journal, loops, plan.retry_failed)
        progress = Progress.of(plan, meter, found=journal.count(), executor=executor)
        log.info("a sitting begins, with %d episodes in the journal; %s", progress.found, plan.in_words())
        if on_start:
            on_start(folder.path, progress)
        with _sitting(journal, meter):
            breaker = CircuitBreaker(models.check, progress, plan.outage_pause)
            stack.push_async_callback(breaker.aclose)
            ledger = EpisodeStore(journal, executor, progress, breaker, capacity=capacity, versions=versions)
            outcomes = await _drive(plan, loops, models, Scheduler(plan, ledger, journal, reflector, progress))
        return write(Played(plan, outcomes, ledger, journal, versions, folder))


def open_players(plan: RunPlan, models: ModelPool) -> Reflector:
    """Make both players, and give back the reflector; workers make their actors themselves.

    Raises:
        UsageError: one of them cannot work as asked.
    """
    for player in (plan.actor, plan.reflector):
        # litellm itself tells what a reply cost.
        if (
            plan.limits.max_cost
            and player.model
            and player.model.provider != "litellm"
            and not find_price(player.model)
        ):
            raise ConfigError(
                f"--max-cost {plan.limits.max_cost:g} cannot be kept: the price of {player.model.name} is unknown; "
                "use --max-tokens"
            )
    make_actor(plan.actor, models.open(plan.actor.model) if plan.actor.model else None)
    return make_reflector(plan.reflector, models.open(plan.reflector.model) if plan.reflector.model else None)


async def open_executor(plan: RunPlan, models: ModelPool, meter: UsageMeter) -> tuple[Executor, int]:
    """Whoever plays the episodes, and how many it is to have in flight.

    Raises:
        UsageError: Ray is asked for and not installed.
        WorkerError: there is no such cluster.
    """
    executor: Executor
    if plan.executor == "inline":
        executor = InlineExecutor(EpisodeWorker(models))
    elif plan.executor == "process":
        executor = WorkerPool(ProcessStarter(models, meter, plan.cache), plan.workers or cores(), plan.env_timeout)
    else:
        starter = RayStarter(models, meter, plan.ray_address, plan.worker_resources)
        # Asked in any case: a cluster without room would have the run wait for ever.
        room = await starter.workers()
        executor = WorkerPool(starter, plan.workers or room, plan.env_timeout)
    only_computes = resolve("actor", plan.actor.name).only_computes
    return executor, SCRIPTED_IN_FLIGHT * executor.workers if only_computes else plan.limits.max_connections


async def _drive(plan: RunPlan, loops: list[LoopPlan], models: ModelPool, drive: Scheduler) -> list[LoopOutcome]:
    """Play what is missing; note what the models said of themselves."""
    journal, ledger = drive.journal, drive.ledger
    try:
        if not journal.get("complete"):
            await _check(models)
        outcomes = await drive.run(loops)
        journal.note("complete", len(outcomes) == len(loops))
    except BaseExceptionGroup as group:
        raise _gravest(group) from None
    finally:
        await ledger.aclose()
        for role, player in (("actor", plan.actor), ("reflector", plan.reflector)):
            if player.model:
                _note_identity(journal, role, models.open(player.model))
    return outcomes


def _note_identity(journal: Journal, role: str, model: ModelClient) -> None:
    """Who answered, and where: a change of either between sittings is told by the result."""
    journal.note("addresses", {**journal.get("addresses", {}), role: model.address})
    seen = journal.get(f"{role}_fingerprints", [])
    if model.fingerprint is not None and model.fingerprint not in seen[-1:]:
        journal.note(f"{role}_fingerprints", [*seen, model.fingerprint])


async def _check(models: ModelPool) -> None:
    """An unknown model, a wrong key or a dead endpoint is told before the first episode."""
    try:
        await models.check()
    except InfrastructureError as error:
        raise EndpointDownError(str(error)) from error


@contextmanager
def _sitting(journal: Journal, meter: UsageMeter) -> Iterator[None]:
    """Keep account of time and spending over all sittings of a run."""
    clock = time.monotonic()
    journal.note("started", journal.get("started") or datetime.now(UTC).isoformat(timespec="seconds"))
    meter.spent = Usage.model_validate(journal.get("spent", {}))
    try:
        yield
    except BaseException as error:
        log.warning("the sitting stops: %s", str(error) or "interrupted")
        raise
    else:
        log.info("the sitting is over")
    finally:
        journal.note("seconds", journal.get("seconds", 0.0) + time.monotonic() - clock)
        journal.note("spent", meter.spent.model_dump(mode="json"))


def check_env(plan: RunPlan, loops: list[LoopPlan]) -> dict[str, str]:
    """Make one environment, and look at all tasks, so that what is missing is told before anything is played.

    Raises:
        UsageError: a package or a game is missing, or the solver that the actor needs.
    """
    env_class = resolve("env", plan.suite.env)
    if resolve("actor", plan.actor.name).sees_solution and env_class.solve is TextEnv.solve:
        raise ConfigError(f"actor {plan.actor.label!r} needs a solver, which environment {plan.suite.env!r} has not")
    env = env_class()
    versions: dict[str, str] = env.versions()
    env.close()
    tasks = {task.id: task for loop in loops for task in loop.tasks}
    if trouble := env_class.unplayable(tasks.values()):
        raise ConfigError(trouble)
    return versions


def _gravest(group: BaseExceptionGroup[Any]) -> BaseException:
    """The one error to report of several: a bug before our own errors, which name what the user can do."""
    leaves = [error for error in _leaves(group) if not isinstance(error, asyncio.CancelledError)]
    return min(leaves, key=lambda error: isinstance(error, IctbenchError))


def _leaves(error: BaseException) -> list[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        return [leaf for inner in error.exceptions for leaf in _leaves(inner)]
    return [error]

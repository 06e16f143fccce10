"""One sitting of a run: everything between its plan and its files."""

from __future__ import annotations

import asyncio
import itertools
import math
import os
import time
from contextlib import AsyncExitStack, closing, contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ictbench.actors import make_actor
from ictbench.engine import EpisodeWorker, Executor, InlineExecutor, ProcessLink, WorkerExecutor
from ictbench.envs import TextEnv
from ictbench.errors import ConfigError, EndpointDownError, IctbenchError, InfrastructureError
from ictbench.models import Meter, ModelPool
from ictbench.models.cache import ResponseCache
from ictbench.models.prices import price_of
from ictbench.records import Usage
from ictbench.reflectors import make_reflector
from ictbench.resolve import resolve
from ictbench.runner.again import play_again
from ictbench.runner.breaker import Breaker
from ictbench.runner.drive import Drive
from ictbench.runner.journal import Journal
from ictbench.runner.ledger import Ledger
from ictbench.runner.outcome import build_result, write_outcome
from ictbench.runner.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from ictbench.protocol import LoopOutcome, LoopPlan
    from ictbench.records import ModelSpec
    from ictbench.reflectors import Reflector
    from ictbench.results import Result
    from ictbench.runner.folder import RunFolder
    from ictbench.runner.plan import RunPlan

SCRIPTED_IN_FLIGHT = 2
"""Episodes at a time in a worker, of an actor that only computes: no latency to hide, and each costs an environment."""
WORTH_A_WORKER = 32
"""Episodes; for fewer, another process would not be up in time to help."""


async def run_sitting(
    plan: RunPlan, loops: list[LoopPlan], folder: RunFolder, on_start: Callable[[Path, Progress], None] | None
) -> Result:
    """Play what the folder does not hold yet, and write what follows.

    Raises:
        UsageError: something does not fit; nothing was played.
        RunError: the run stopped before its end.
    """
    versions = await asyncio.to_thread(check_env, plan, loops)
    async with AsyncExitStack() as stack:
        cache = stack.enter_context(closing(ResponseCache(plan.cache))) if plan.cache else None
        models = ModelPool(Meter(plan.limits), cache)
        stack.push_async_callback(models.aclose)
        # Opened before the folder is, so that players which cannot work leave nothing behind.
        reflector = open_players(plan, models)
        stack.enter_context(folder.claim({**plan.identity(), "versions": versions}))
        journal = stack.enter_context(closing(Journal(folder.journal)))
        play_again(journal, loops, plan.retry_failed)
        progress = Progress.of(plan, models.meter, found=len(journal.keys()))
        if on_start:
            on_start(folder.path, progress)
        with _sitting(journal, models.meter):
            outcomes, ledger = await _drive(plan, loops, models, reflector, journal, progress)
        result = build_result(plan, outcomes, ledger, journal, versions, folder.path)
        write_outcome(folder, journal, result)
    return result


def open_players(plan: RunPlan, models: ModelPool) -> Reflector:
    """Make both players, and give back the reflector; workers make their actors themselves.

    Raises:
        UsageError: one of them cannot work as asked.
    """
    for player in (plan.actor, plan.reflector):
        # litellm itself tells what a reply cost.
        if plan.limits.max_cost and player.model and player.model.provider != "litellm" and not price_of(player.model):
            raise ConfigError(
                f"--max-cost {plan.limits.max_cost:g} cannot be kept: the price of {player.model.name} is unknown; "
                "use --max-tokens"
            )
    make_actor(plan.actor, models.open(plan.actor.model) if plan.actor.model else None)
    return make_reflector(plan.reflector, models.open(plan.reflector.model) if plan.reflector.model else None)


async def _drive(
    plan: RunPlan, loops: list[LoopPlan], models: ModelPool, reflector: Reflector, journal: Journal, progress: Progress
) -> tuple[list[LoopOutcome], Ledger]:
    """Play what is missing; note what the models said of themselves."""
    executor = open_executor(plan, models)
    breaker = Breaker(models.check, progress, plan.outage_pause)
    ledger = Ledger(journal, executor, progress, breaker)
    try:
        if not journal.get("complete"):
            executor.start()
            await _check(models)
        outcomes = await Drive(plan, ledger, journal, reflector, progress).run(loops)
        journal.note("complete", len(outcomes) == len(loops))
    except BaseExceptionGroup as group:
        raise _gravest(group) from None
    finally:
        await ledger.aclose()
        await breaker.aclose()
        await executor.aclose()
        for role, player in (("actor", plan.actor), ("reflector", plan.reflector)):
            if player.model:
                _note_identity(journal, role, player.model, models)
    return outcomes, ledger


def open_executor(plan: RunPlan, models: ModelPool) -> Executor:
    """What plays the episodes; which one, and how many workers it has, changes no result.

    Raises:
        ConfigError: processes are asked for, and a class of the run is one that they cannot import.
    """
    scripted = resolve("actor", plan.actor.name).only_computes
    local = [name for name in (plan.actor.name, plan.suite.env) if name.startswith("__main__:")]
    if local and plan.executor == "process":
        raise ConfigError(f"{local[0]!r} is known to this process only: put it in a module, or use --executor inline")
    if local or plan.executor == "inline":
        return InlineExecutor(SCRIPTED_IN_FLIGHT if scripted else plan.limits.max_connections, EpisodeWorker(models))
    worth = math.ceil(plan.episode_bounds()["episodes"] / WORTH_A_WORKER)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    workers = plan.workers or min(cores, worth)
    return WorkerExecutor(
        ProcessLink,
        models,
        workers=workers,
        max_in_flight=SCRIPTED_IN_FLIGHT * workers if scripted else plan.limits.max_connections,
        cache=plan.cache,
        env_timeout=plan.env_timeout,
    )


def _note_identity(journal: Journal, role: str, spec: ModelSpec, models: ModelPool) -> None:
    """Who answered, and where: a change of either between sittings is told by the result."""
    journal.note("addresses", {**journal.get("addresses", {}), role: models.open(spec).address})
    seen, fingerprint = journal.get(f"{role}_fingerprints", []), models.fingerprint(spec)
    if fingerprint is not None and fingerprint not in seen[-1:]:
        journal.note(f"{role}_fingerprints", [*seen, fingerprint])


async def _check(models: ModelPool) -> None:
    """An unknown model, a wrong key or a dead endpoint is told before the first episode."""
    try:
        await models.check()
    except InfrastructureError as error:
        raise EndpointDownError(str(error)) from error


@contextmanager
def _sitting(journal: Journal, meter: Meter) -> Iterator[None]:
    """Keep account of time and spending over all sittings of a run."""
    clock = time.monotonic()
    journal.note("started", journal.get("started") or datetime.now(UTC).isoformat(timespec="seconds"))
    meter.spent = Usage.model_validate(journal.get("spent", {}))
    meter.on_spend = lambda spent: journal.note("spent", spent.model_dump())
    try:
        yield
    finally:
        journal.note("seconds", journal.get("seconds", 0.0) + time.monotonic() - clock)


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
    tasks = {task.id: task for loop in loops for task in (*itertools.chain(*loop.batches), *loop.selection, *loop.test)}
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

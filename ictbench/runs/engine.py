"""Engine of a run: models, meter and executor of one plan, opened and closed together."""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ictbench.actors import make_actor
from ictbench.envs import TextEnv, checked_versions, env_class
from ictbench.errors import ConfigError
from ictbench.models import ModelPool, UsageMeter
from ictbench.models.prices import find_price, may_state_cost
from ictbench.models.response_cache import ResponseCache
from ictbench.plugins import resolve
from ictbench.reflectors import make_reflector
from ictbench.rollout import EpisodeWorker, Executor, InlineExecutor, ProcessStarter, RayStarter, WorkerPool, cores
from ictbench.runs.episode_store import episode_slots
from ictbench.runs.identical_repeats import refuse_identical_repeats
from ictbench.runs.player_sampling import check_sampling_is_sent
from ictbench.user_folders import expand_home

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from ictbench.protocol import LoopPlan
    from ictbench.reflectors import Reflector
    from ictbench.runs.episode_store import EpisodeSlots
    from ictbench.runs.options import Options
    from ictbench.runs.plan import RunPlan

SCRIPTED_IN_FLIGHT = 2
"""Concurrent episodes per worker of an actor that only computes: it has no latency to hide."""


@dataclass(frozen=True, slots=True)
class Engine:
    """Open models, meter and executor of a plan."""

    meter: UsageMeter
    models: ModelPool
    executor: Executor
    capacity: int
    """Episodes to have in flight."""
    slots: EpisodeSlots
    """Slots of these episodes."""


@asynccontextmanager
async def open_engine(plan: RunPlan) -> AsyncIterator[Engine]:
    """Open the engine of a plan; close it at the end of the block.

    Raises:
        UsageError: A player cannot work as requested, or Ray is not installed.
        WorkerError: The Ray cluster does not exist.
    """
    async with AsyncExitStack() as stack:
        cache = (
            stack.enter_context(closing(ResponseCache(expand_home(plan.options.cache)))) if plan.options.cache else None
        )
        meter = UsageMeter(plan.limits)
        models = ModelPool(meter, cache)
        stack.push_async_callback(models.aclose)
        open_players(plan, models)
        executor = await open_executor(plan.options, models, meter)
        stack.push_async_callback(executor.aclose)
        capacity = capacity_of(plan, executor)
        yield Engine(meter, models, executor, capacity, episode_slots(capacity))


def capacity_of(plan: RunPlan, executor: Executor) -> int:
    """Return how many episodes to have in flight."""
    cpu_bound = resolve("actor", plan.actor.name).cpu_bound
    return SCRIPTED_IN_FLIGHT * executor.workers if cpu_bound else plan.options.max_connections


async def open_executor(options: Options, models: ModelPool, meter: UsageMeter) -> Executor:
    """Return the executor that the options name; its workers start with the first episode.

    Raises:
        MissingExtraError: Ray is not installed.
        WorkerError: The Ray cluster does not exist, or has no room for a worker.
    """
    if options.executor == "inline":
        return InlineExecutor(EpisodeWorker(models))
    if options.executor == "process":
        return WorkerPool(ProcessStarter(models, meter, options.cache), options.workers or cores(), options.env_timeout)
    starter = RayStarter(models, meter, options.ray_address, options.worker_resources)
    # Requested in any case: on a cluster without room, the run would wait forever.
    room = await starter.workers()
    return WorkerPool(starter, options.workers or room, options.env_timeout)


def open_players(plan: RunPlan, models: ModelPool) -> Reflector:
    """Make both players, to check them, and return the reflector; each worker makes its actor itself.

    Raises:
        UsageError: A player cannot work as requested.
    """
    max_cost = plan.options.max_cost
    for player in (plan.actor, plan.reflector):
        model = player.model
        # Whether a gateway states the cost, its first reply shows: the meter stops the run if it does not.
        if max_cost and model and not (find_price(model) or may_state_cost(model)):
            raise ConfigError(
                f"--max-cost {max_cost:g} cannot be enforced: the price of {model.name} is unknown; use --max-tokens"
            )
    actor_model = models.open(plan.actor.model) if plan.actor.model else None
    reflector_model = models.open(plan.reflector.model) if plan.reflector.model else None
    if actor_model:
        check_sampling_is_sent(plan.options, "actor", actor_model)
    if reflector_model:
        check_sampling_is_sent(plan.options, "reflector", reflector_model)
    refuse_identical_repeats(plan, make_actor(plan.actor, actor_model))
    return make_reflector(plan.reflector, reflector_model)


def check_playable(plan: RunPlan, loops: Iterable[LoopPlan]) -> dict[str, str]:
    """Make one environment and check all tasks of the loops, before anything is played.

    Returns:
        Versions of the packages that determine the behaviour of the environment.

    Raises:
        UsageError: A package or a game is missing, or the actor needs a solver that the environment lacks.
    """
    cls = env_class(plan.suite.env)
    if resolve("actor", plan.actor.name).sees_solution and cls.solve is TextEnv.solve:
        raise ConfigError(f"actor {plan.actor.label!r} needs a solver, which environment {plan.suite.env!r} has not")
    return checked_versions(
        plan.suite.env,
        {task.id: task for loop in loops for task in loop.tasks}.values(),
        deterministic=plan.suite.deterministic,
    )

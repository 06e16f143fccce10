"""Engine of a campaign: one executor, one meter and one response cache for all its cells."""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager, closing
from typing import TYPE_CHECKING

from ictbench.actors.opening import OPENING_ACTOR
from ictbench.campaigns.cell_meter import CellMeter
from ictbench.campaigns.shared_episodes import SharedEpisodes, group_of
from ictbench.models import ModelPool, UsageMeter
from ictbench.models.response_cache import ResponseCache
from ictbench.rollout import Executor
from ictbench.runs.engine import Engine, capacity_of, open_executor, open_players
from ictbench.runs.episode_store import episode_slots
from ictbench.runs.plan import ACCESS, limits_of
from ictbench.runs.player_rehearsal import SAMPLE_ACTOR, SAMPLE_STEPS
from ictbench.user_folders import expand_home

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from ictbench.campaigns.plan_campaign import PlannedCell
    from ictbench.records import Episode, EpisodeSpec
    from ictbench.rollout import Priority
    from ictbench.runs.episode_store import EpisodeSlots
    from ictbench.runs.options import Options
    from ictbench.runs.plan import RunPlan


class SharedEngine:
    """What the cells of a campaign share; `open_shared_engine` makes one."""

    def __init__(self, meter: UsageMeter, models: ModelPool, cache: ResponseCache | None, executor: Executor) -> None:
        self.meter = meter
        self.executor = executor
        self.episodes: SharedEpisodes
        self._models = models
        self._cache = cache
        self._slots: dict[int, EpisodeSlots] = {}

    @asynccontextmanager
    async def of_cell(self, cell: PlannedCell, folder: Path, plan: RunPlan) -> AsyncIterator[Engine]:
        """Open the engine of one cell, which plays on the executor of all.

        Args:
            cell: The cell.
            folder: Its folder.
            plan: Its plan, with the adaptations that earlier sessions have recorded.
        """
        async with AsyncExitStack() as stack:
            meter = CellMeter(self.meter)
            models = ModelPool(meter, self._cache)
            stack.push_async_callback(models.aclose)
            open_players(plan, models)
            executor = _CellExecutor(self, cell, folder, meter, models)
            capacity = capacity_of(plan, self.executor)
            slots = self._slots.setdefault(capacity, episode_slots(capacity))
            yield Engine(meter, models, executor, capacity, slots)

    def pass_fingerprint_on(self, spec: EpisodeSpec, models: ModelPool) -> None:
        """Tell the models of a cell which version of the actor's model answered last."""
        if spec.actor.model and (seen := self._models.open(spec.actor.model).fingerprint) is not None:
            models.open(spec.actor.model).set_fingerprint(seen)


class _CellExecutor(Executor):
    """Executor of one cell: shares episodes, and counts those that were played for this cell."""

    def __init__(
        self, shared: SharedEngine, cell: PlannedCell, folder: Path, meter: CellMeter, models: ModelPool
    ) -> None:
        self._shared, self._folder, self._meter, self._models = shared, folder, meter, models
        self._identity = cell.identity
        self._groups: dict[str, str] = {}
        """Group by actor and limits of an episode: a rehearsal may have adapted the actor."""

    @property
    def workers(self) -> int:  # type: ignore[override]
        """Intended number of workers of the campaign."""
        return self._shared.executor.workers

    @property
    def ready(self) -> int:  # type: ignore[override]
        """Workers that can play now."""
        return self._shared.executor.ready

    @property
    def lost(self) -> int:  # type: ignore[override]
        """Workers that have died so far."""
        return self._shared.executor.lost

    async def play(self, spec: EpisodeSpec, priority: Priority) -> Episode:
        """Play one episode, or take it from another cell."""
        if (spec.actor, spec.max_steps) == (SAMPLE_ACTOR, SAMPLE_STEPS) or spec.actor == OPENING_ACTOR:
            # Of a rehearsal, or the start of a task for a memory: no record holds it.
            return await self._shared.executor.play(spec, priority)
        group = self._group(spec)
        self._shared.episodes.add_cell(self._folder, group)
        episode, played = await self._shared.episodes.play(group, self._folder, spec, priority)
        if played:
            self._meter.count_own(episode.usage)
            self._shared.pass_fingerprint_on(spec, self._models)
        return episode

    async def aclose(self) -> None:
        """Do nothing: the campaign closes the executor."""

    def _group(self, spec: EpisodeSpec) -> str:
        key = f"{spec.max_steps} {spec.time_limit} {spec.actor.model_dump_json()}"
        if key not in self._groups:
            played = {
                "actor": spec.actor.model_dump(mode="json", exclude=ACCESS),
                "max_steps": spec.max_steps,
                "episode_time_limit": spec.time_limit,
            }
            self._groups[key] = group_of({**self._identity, **played}, spec.actor)
        return self._groups[key]


@asynccontextmanager
async def open_shared_engine(options: Options) -> AsyncIterator[SharedEngine]:
    """Open what the cells share; close it at the end of the block.

    Args:
        options: Options of the whole campaign.

    Raises:
        UsageError: Ray is not installed.
        WorkerError: The Ray cluster does not exist.
    """
    async with AsyncExitStack() as stack:
        cache = stack.enter_context(closing(ResponseCache(expand_home(options.cache)))) if options.cache else None
        meter = UsageMeter(limits_of(options))
        models = ModelPool(meter, cache)
        stack.push_async_callback(models.aclose)
        executor = await open_executor(options, models, meter)
        stack.push_async_callback(executor.aclose)
        shared = SharedEngine(meter, models, cache, executor)
        shared.episodes = stack.enter_context(closing(SharedEpisodes(executor, options.retry_failed)))
        yield shared

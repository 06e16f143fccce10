"""The facade for callers that are not asynchronous: they name episodes and get them played."""

from __future__ import annotations

import asyncio
import threading
from contextlib import AsyncExitStack, closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from ictbench.errors import UsageError
from ictbench.models import ModelPool, UsageMeter
from ictbench.models.response_cache import ResponseCache
from ictbench.rollout import Priority
from ictbench.runs.session import check_env, open_executor, open_players
from ictbench.runs.sync_loop import BackgroundLoop

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from ictbench.records import Episode, EpisodeSpec
    from ictbench.rollout import Executor
    from ictbench.runs.plan import RunPlan


class EpisodePlayer:
    """Plays episodes side by side and waits for them, for Gymnasium environments and reward functions.

    It has an event loop in a thread of its own, and on it the executor, models and limits of one plan. All of it
    starts with the first episode and ends with `close`. Any thread may ask; whatever is asked at the same time is
    played side by side. Nothing is recorded.
    """

    def __init__(self, plan: RunPlan) -> None:
        """Take the plan of a run, of which actor, executor and limits matter here.

        Raises:
            UsageError: its environment, actor or model cannot work here.
        """
        check_env(plan, [])
        open_players(plan, ModelPool())
        self._plan = plan
        self._opening = threading.Lock()
        self._stage: _Stage | None = None
        self._closed = False

    def play(self, specs: Sequence[EpisodeSpec]) -> list[Episode]:
        """Play episodes, in the order of their specifications; equal ones are played once.

        `plan.episode(task, prompt)` makes a specification; one with another `replicate` and seed is another episode.

        Raises:
            InfrastructureError: one could not be played, through no fault of the model; the others are given up.
            RunError: nothing can be played any more, e.g. a limit is reached.
            UsageError: the player is closed.
        """
        stage = self._opened()
        return stage.loop.run(lambda: stage.play(specs))

    def close(self) -> None:
        """End models, workers and the thread. A closed player plays no more; closing it again is harmless."""
        with self._opening:
            self._closed = True
            stage, self._stage = self._stage, None
            if stage is not None:
                stage.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _opened(self) -> _Stage:
        with self._opening:
            if self._closed:
                raise UsageError("this player is closed; make a new one")
            if self._stage is None:
                self._stage = _open_stage(self._plan)
            return self._stage


@dataclass(frozen=True, slots=True)
class _Stage:
    """What plays, once it is open."""

    loop: BackgroundLoop
    stack: AsyncExitStack
    executor: Executor
    slots: asyncio.Semaphore

    async def play(self, specs: Sequence[EpisodeSpec]) -> list[Episode]:
        playing = {spec.key: asyncio.create_task(self._play(spec)) for spec in specs}
        try:
            await asyncio.gather(*playing.values())
        finally:
            for task in playing.values():
                task.cancel()
            await asyncio.gather(*playing.values(), return_exceptions=True)
        return [playing[spec.key].result() for spec in specs]

    def close(self) -> None:
        try:
            self.loop.run(self.stack.aclose)
        finally:
            self.loop.close()

    async def _play(self, spec: EpisodeSpec) -> Episode:
        async with self.slots:
            return await self.executor.play(spec, Priority.EXPERIENCE)


def _open_stage(plan: RunPlan) -> _Stage:
    loop = BackgroundLoop(daemon=True)

    async def opened() -> _Stage:
        async with AsyncExitStack() as stack:
            cache = stack.enter_context(closing(ResponseCache(plan.cache))) if plan.cache else None
            meter = UsageMeter(plan.limits)
            models = ModelPool(meter, cache)
            stack.push_async_callback(models.aclose)
            open_players(plan, models)
            executor, capacity = await open_executor(plan, models, meter)
            stack.push_async_callback(executor.aclose)
            return _Stage(loop, stack.pop_all(), executor, asyncio.Semaphore(capacity))

    try:
        return loop.run(opened)
    except BaseException:
        loop.close()
        raise

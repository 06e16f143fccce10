"""Which episodes of a run are known: each is played once, recorded, and shared by all who ask for it."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, TypeVar

from ictbench.errors import InfrastructureError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ictbench.engine import Executor, Priority
    from ictbench.records import EpisodeSpec, EpisodeSummary, Trajectory
    from ictbench.runner.breaker import Breaker
    from ictbench.runner.journal import Journal
    from ictbench.runner.progress import Progress

T = TypeVar("T")

ATTEMPTS = 2
"""How often an episode is tried before it is owed; the second time only once the breaker lets it through."""


class Ledger:
    """Plays what the journal does not hold yet."""

    def __init__(self, journal: Journal, executor: Executor, progress: Progress, breaker: Breaker) -> None:
        self.summaries = journal.summaries()
        self._journal = journal
        self._executor = executor
        self._progress = progress
        self._breaker = breaker
        self._in_flight: dict[str, asyncio.Task[EpisodeSummary]] = {}
        self.owed: dict[str, str] = {}
        """What went wrong, by key."""

    async def summary(self, spec: EpisodeSpec, priority: Priority) -> EpisodeSummary:
        """The episode's summary, played if need be.

        Raises:
            InfrastructureError: it is owed.
            EndpointDownError: the run should stop.
        """
        key = spec.key
        if key in self.summaries:
            return self.summaries[key]
        if key not in self._in_flight:
            self._in_flight[key] = asyncio.create_task(self._play(spec, priority))
            self._in_flight[key].add_done_callback(lambda _: self._in_flight.pop(key))
        return await asyncio.shield(self._in_flight[key])

    async def trajectory(self, spec: EpisodeSpec, priority: Priority) -> Trajectory:
        """The same, with all its steps."""
        await self.summary(spec, priority)
        episode = self._journal.episode(spec.key)
        assert episode is not None, spec.key
        return episode.trajectory

    async def aclose(self) -> None:
        """Let go of whatever is still being played."""
        tasks = list(self._in_flight.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def guarded(self, what: str, work: Callable[[], Awaitable[T]]) -> T:
        """Do work that may meet an outage: try it again after a pause that the endpoint survived.

        Raises:
            InfrastructureError: `what` is owed.
            EndpointDownError: the endpoint did not survive the pause.
        """
        for _ in range(ATTEMPTS):
            await self._breaker.passage()
            try:
                done = await work()
            except InfrastructureError as error:
                self._breaker.failed(error)
                trouble = error
                if self._breaker.paused:
                    continue
                break
            self._breaker.succeeded()
            return done
        self.owed[what] = str(trouble)
        self._progress.owed = len(self.owed)
        raise trouble

    async def _play(self, spec: EpisodeSpec, priority: Priority) -> EpisodeSummary:
        started, clock = time.time(), time.monotonic()
        episode = await self.guarded(spec.key, lambda: self._executor.play(spec, priority))
        summary = self._journal.add_episode(episode, started, time.monotonic() - clock)
        self.summaries[spec.key] = summary
        self._progress.played += 1
        self.owed.pop(spec.key, None)
        self._progress.owed = len(self.owed)
        return summary

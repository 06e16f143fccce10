"""Which episodes of a run are known: each is played once, recorded, and shared by all who ask for it."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from ictbench.errors import EndpointDownError, InfrastructureError

if TYPE_CHECKING:
    from ictbench.engine import Executor, Priority
    from ictbench.records import EpisodeSpec, EpisodeSummary, Trajectory
    from ictbench.runner.journal import Journal
    from ictbench.runner.progress import Progress

MAX_OWED_IN_A_ROW = 8
"""After so many infrastructure failures with no success between them, nothing more is tried."""


class Ledger:
    """Plays what the journal does not hold yet."""

    def __init__(self, journal: Journal, executor: Executor, progress: Progress) -> None:
        self.summaries = journal.summaries()
        self._journal = journal
        self._executor = executor
        self._progress = progress
        self._in_flight: dict[str, asyncio.Task[EpisodeSummary]] = {}
        self._owed_in_a_row = 0
        self.owed: dict[str, str] = {}
        """What went wrong, by key."""

    async def summary(self, spec: EpisodeSpec, priority: Priority) -> EpisodeSummary:
        """The episode's summary, played if need be.

        Raises:
            InfrastructureError: it is owed.
            EndpointDownError: so many are owed in a row that the run should stop.
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

    async def _play(self, spec: EpisodeSpec, priority: Priority) -> EpisodeSummary:
        started, clock = time.time(), time.monotonic()
        try:
            episode = await self._executor.play(spec, priority)
        except InfrastructureError as error:
            self.count_failure(spec.key, error)
            raise
        summary = self._journal.add_episode(episode, started, time.monotonic() - clock)
        self.summaries[spec.key] = summary
        self._owed_in_a_row = 0
        self._progress.played += 1
        return summary

    def count_failure(self, what: str, error: InfrastructureError) -> None:
        """Note what is owed.

        Raises:
            EndpointDownError: it is one too many in a row.
        """
        self.owed[what] = str(error)
        self._progress.owed = len(self.owed)
        self._owed_in_a_row += 1
        if self._owed_in_a_row >= MAX_OWED_IN_A_ROW:
            raise EndpointDownError(f"nothing works any more, the last {MAX_OWED_IN_A_ROW} attempts failed: {error}")

"""Plays episodes in this process."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from ictbench.engine.executor import Executor
from ictbench.engine.worker import EpisodeWorker

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from ictbench.engine.executor import Priority
    from ictbench.records import Episode, EpisodeSpec


class InlineExecutor(Executor):
    """One worker in this process's event loop, with at most `max_in_flight` episodes at a time."""

    def __init__(self, max_in_flight: int, worker: EpisodeWorker | None = None) -> None:
        self.worker = worker or EpisodeWorker()
        self._slots = PrioritySlots(max_in_flight)

    async def play(self, spec: EpisodeSpec, priority: Priority) -> Episode:
        """Play one episode when a slot is free."""
        async with self._slots.slot(priority):
            return await self.worker.play(spec)

    async def aclose(self) -> None:
        """Close the worker."""
        await self.worker.aclose()


class PrioritySlots:
    """A semaphore whose waiters are served by priority, lowest first, then in order of arrival."""

    def __init__(self, slots: int) -> None:
        self._free = slots
        self._arrivals = itertools.count()
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []

    @asynccontextmanager
    async def slot(self, priority: int) -> AsyncIterator[None]:
        """Hold one slot."""
        await self._acquire(priority)
        try:
            yield
        finally:
            self._release()

    async def _acquire(self, priority: int) -> None:
        if self._free and not self._waiting:
            self._free -= 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (priority, next(self._arrivals), turn))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._release()
            raise

    def _release(self) -> None:
        while self._waiting:
            _, _, turn = heapq.heappop(self._waiting)
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1

"""Semaphore with priorities: the most urgent waiter gets the next slot."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class PrioritySemaphore:
    """Semaphore whose waiters are served by priority, lowest number first, and then in order of arrival."""

    def __init__(self, slots: int) -> None:
        self._free = slots
        self._tickets = itertools.count()
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []

    @asynccontextmanager
    async def slot(self, priority: int) -> AsyncIterator[None]:
        """Hold a slot inside an `async with` block."""
        await self.acquire(priority, self.ticket())
        try:
            yield
        finally:
            self.release()

    def ticket(self) -> int:
        """Return a position in the order of arrival, which a task can keep while it acquires several slots in turn."""
        return next(self._tickets)

    async def acquire(self, priority: int, ticket: int) -> None:
        """Take a slot, which `release` gives back. Among equal priorities, the lowest ticket goes first."""
        if self._free and not self._waiting:
            self._free -= 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (priority, ticket, turn))
        self._queue_changed()
        try:
            await turn
        except asyncio.CancelledError:
            # Cancelled after the slot was handed over: pass it on.
            if turn.done() and not turn.cancelled():
                self.release()
            raise

    def release(self) -> None:
        """Give a slot back, to the first waiter if there is one."""
        while self._waiting:
            _, _, turn = heapq.heappop(self._waiting)
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1

    def _queue_changed(self) -> None:
        """Called when somebody begins to wait, for subclasses."""

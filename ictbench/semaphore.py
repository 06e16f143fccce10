"""Slots of which there are only so many: who is most urgent gets the next one."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class PrioritySemaphore:
    """A semaphore whose waiters are served by priority, lowest first, then in order of arrival."""

    def __init__(self, slots: int) -> None:
        self._free = slots
        self._arrivals = itertools.count()
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []

    @asynccontextmanager
    async def slot(self, priority: int) -> AsyncIterator[None]:
        """Hold one slot."""
        await self.acquire(priority, self.ticket())
        try:
            yield
        finally:
            self.release()

    def ticket(self) -> int:
        """A place in the order of arrival, for whoever wants slots one after another without losing it."""
        return next(self._arrivals)

    async def acquire(self, priority: int, ticket: int) -> None:
        """Take one slot, to be given back by `release`. Of equal priority, the lower ticket goes first."""
        if self._free and not self._waiting:
            self._free -= 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (priority, ticket, turn))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.release()
            raise

    def release(self) -> None:
        """Give one slot back."""
        while self._waiting:
            _, _, turn = heapq.heappop(self._waiting)
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1

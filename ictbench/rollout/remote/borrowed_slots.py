"""Slots that a worker has borrowed from the coordinator, and the requests that wait for one."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class BorrowedSlots:
    """Semaphore with priorities whose number of slots the coordinator changes; see `SlotPool`.

    Args:
        changed: Called after each change that the coordinator should know, with whether it waits for it.
    """

    def __init__(self, changed: Callable[[bool], None]) -> None:
        self.running = 0
        self.demand: Counter[int] = Counter()
        """Requests that use a slot or wait for one, by priority."""
        self._changed = changed
        self._held = 0
        self._keep: int | None = None
        self._returned = 0
        self._tickets = itertools.count()
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []

    def try_acquire(self, priority: int) -> bool:
        """Take a slot if one is idle."""
        if self.running >= self._held:
            return False
        self.demand[priority] += 1
        self.running += 1
        self._changed(False)
        return True

    async def acquire(self, priority: int) -> None:
        """Take a slot, which `release` gives back."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (priority, next(self._tickets), turn))
        self.demand[priority] += 1
        self._serve()
        try:
            await turn
        except BaseException:
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                self.release(priority)
            else:
                self._reduce_demand(priority)
            raise

    def release(self, priority: int) -> None:
        """Give a slot back."""
        self.running -= 1
        self._reduce_demand(priority)

    def receive(self, gained: int, keep: int | None) -> None:
        """Take an offer of the coordinator; see `SlotPool.lend`."""
        self._held += gained
        self._keep = keep
        self._serve()

    def fail(self, error: Exception) -> None:
        """Raise an error in all requests that wait."""
        for _, _, turn in self._waiting:
            if not turn.done():
                turn.set_exception(error)
        self._waiting.clear()

    def take_returned(self) -> int:
        """Return the number of slots given back since the last call."""
        returned, self._returned = self._returned, 0
        return returned

    def _reduce_demand(self, priority: int) -> None:
        self.demand[priority] -= 1
        if not self.demand[priority]:
            del self.demand[priority]
        self._serve()

    def _serve(self) -> None:
        """Return surplus slots, then give idle ones to those who wait."""
        if self._keep is not None and self._held > self._keep:
            surplus = min(self._held - self._keep, self._held - self.running)
            self._held -= surplus
            self._returned += surplus
        while self._waiting and self.running < self._held:
            _, _, turn = heapq.heappop(self._waiting)
            if not turn.done():
                turn.set_result(None)
                self.running += 1
        self._changed(bool(self._waiting or self._returned))

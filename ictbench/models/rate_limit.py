"""Rate limit that spaces requests evenly, without a first burst."""

from __future__ import annotations

import asyncio
import time
from collections import deque

WINDOW_SECONDS = 60.0
CATCH_UP_SECONDS = 0.1
"""Lateness that the next requests make up for, since a timer wakes up late; in this time alone may requests bunch."""


class RateLimit:
    """At most `per_minute` units in any minute, spaced evenly from the start. For one waiter at a time.

    A unit is a request or a token. A request of more units than `per_minute` counts as that many.
    """

    def __init__(self, per_minute: int) -> None:
        self._per_minute = per_minute
        self._next: float | None = None
        """Time from which the next request may start, as far as even spacing goes."""
        self._recent: deque[tuple[float, float]] = deque()
        """Start and units of the requests of the last minute."""
        self._recent_units = 0.0

    async def acquire(self, units: float = 1) -> None:
        """Wait until a request of so many units may start, and count it."""
        # In steps, as a timer may wake up early.
        now = time.monotonic()
        while (wait := self.delay(now, units)) > 0:
            await asyncio.sleep(wait)
            now = time.monotonic()
        self.count(now, units)

    def delay(self, now: float, units: float = 1) -> float:
        """Return the seconds until a request of so many units may start; at most 0 if it may start now."""
        self._forget(now)
        start = now if self._next is None else self._next
        excess = self._recent_units + min(units, self._per_minute) - self._per_minute
        for time_, counted in self._recent:
            if excess <= 0:
                break
            excess -= counted
            start = max(start, time_ + WINDOW_SECONDS)
        return start - now

    def count(self, now: float, units: float = 1) -> None:
        """Count a request that starts now."""
        units = min(units, self._per_minute)
        self._recent.append((now, units))
        self._recent_units += units
        # Nothing to catch up with before the first request.
        start = now if self._next is None else max(self._next, now - CATCH_UP_SECONDS)
        self._next = start + units * WINDOW_SECONDS / self._per_minute

    def _forget(self, now: float) -> None:
        while self._recent and self._recent[0][0] + WINDOW_SECONDS <= now:
            self._recent_units -= self._recent.popleft()[1]

"""What a run's models have used, are doing now, and may use: one meter for all of them."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from aiolimiter import AsyncLimiter

from ictbench.errors import LimitReachedError
from ictbench.records import Usage
from ictbench.semaphore import PrioritySemaphore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractAsyncContextManager

log = logging.getLogger(__name__)

waiting_clock: ContextVar[list[float] | None] = ContextVar("waiting_clock", default=None)
"""Where seconds of waiting (for retries, limits, a free connection) are added up, if someone keeps count."""

request_priority: ContextVar[int] = ContextVar("request_priority", default=0)
"""Which requests go first where they queue, lowest first."""


class RequestGate(Protocol):
    """What every request passes: a `UsageMeter`, or the far end of one."""

    def request(self, tokens: int) -> AbstractAsyncContextManager[None]:
        """Hold a connection for one try that may take about `tokens` tokens, once every limit lets it through."""

    async def wait(self, seconds: float, why: str) -> None:
        """Wait before another try."""

    def count(self, usage: Usage) -> None:
        """Add what a reply cost."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on a whole run, over all its models; None for no bound."""

    max_connections: int = 16
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    max_cost: float | None = None
    """US dollars."""
    max_tokens: int | None = None
    """Input and output tokens."""
    max_time: float | None = None
    """Seconds, of this sitting."""


@dataclass
class UsageMeter:
    """Counts usage, bounds it, and knows how many requests are in flight or waiting."""

    limits: Limits = field(default_factory=Limits)
    spent: Usage = field(default_factory=Usage)
    """Everything paid for, retried and interrupted work included; starts at what earlier sittings spent."""
    in_flight: int = 0
    retrying: int = 0
    """Requests that wait before another try."""
    retries: int = 0
    _started: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        limits = self.limits
        self._connections = PrioritySemaphore(limits.max_connections)
        # A rate knows no priorities: only the most urgent request waits for it, the others for that one's place.
        self._head = PrioritySemaphore(1)
        self._requests = AsyncLimiter(limits.requests_per_minute, 60) if limits.requests_per_minute else None
        self._tokens = AsyncLimiter(limits.tokens_per_minute, 60) if limits.tokens_per_minute else None

    @asynccontextmanager
    async def request(self, tokens: int) -> AsyncIterator[None]:
        """Hold a connection for one try that may take about `tokens` tokens, once every limit lets it through.

        Raises:
            LimitReachedError: a limit of the whole run is reached.
        """
        self.check()
        priority = request_priority.get()
        with WaitingTimer():
            if self._requests or self._tokens:
                async with self._head.slot(priority):
                    await self._pace(tokens)
            await self._connections.acquire(priority, self._connections.ticket())
        self.in_flight += 1
        try:
            self.check()
            yield
        finally:
            self.in_flight -= 1
            self._connections.release()

    async def _pace(self, tokens: int) -> None:
        if self._requests:
            await self._requests.acquire()
        if self._tokens:
            # No amount above the bucket's size would ever get through.
            await self._tokens.acquire(min(tokens, self._tokens.max_rate))

    async def wait(self, seconds: float, why: str) -> None:
        """Wait before another try."""
        self.change_retrying(1, why)
        try:
            with WaitingTimer():
                await asyncio.sleep(seconds)
        finally:
            self.change_retrying(-1)

    def change_retrying(self, change: int, why: str = "") -> None:
        """Note that so many more requests wait before another try, or fewer."""
        self.retrying += change
        self.retries += max(change, 0)
        if why:
            log.info("a request is tried again: %s", why)

    def count(self, usage: Usage) -> None:
        """Add what a reply cost."""
        self.spent += usage

    def check(self) -> None:
        """Stop at a limit.

        Raises:
            LimitReachedError: one is reached.
        """
        limits, spent = self.limits, self.spent
        tokens = spent.input_tokens + spent.output_tokens
        if limits.max_tokens is not None and tokens >= limits.max_tokens:
            raise LimitReachedError(f"--max-tokens {limits.max_tokens} is reached: {tokens} tokens are used")
        if limits.max_cost is not None and spent.cost is not None and spent.cost >= limits.max_cost:
            raise LimitReachedError(f"--max-cost {limits.max_cost:g} is reached: ${spent.cost:.4f} is spent")
        if limits.max_time is not None and time.monotonic() - self._started >= limits.max_time:
            raise LimitReachedError(f"--max-time {limits.max_time:g} s is over")


class WaitingTimer:
    """Adds the time its block takes to the clock of whoever is keeping count."""

    def __enter__(self) -> None:
        self._since = time.monotonic()

    def __exit__(self, *_: object) -> None:
        clock = waiting_clock.get()
        if clock is not None:
            clock[0] += time.monotonic() - self._since

"""Usage, limits and requests in flight of a whole run: one meter for all its models."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from ictbench.errors import LimitReachedError
from ictbench.models.rate_limit import RateLimit
from ictbench.models.slot_pool import SlotPool
from ictbench.records import Usage
from ictbench.semaphore import PrioritySemaphore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager

log = logging.getLogger(__name__)

waiting_clock: ContextVar[list[float] | None] = ContextVar("waiting_clock", default=None)
"""One-element list to which `WaitingTimer` adds the seconds spent waiting for retries, limits or a free connection."""

request_priority: ContextVar[int] = ContextVar("request_priority", default=0)
"""Priority of requests in a queue; the lowest number goes first."""


class RequestGate(Protocol):
    """Gate that every request passes: a `UsageMeter`, or the proxy of one in a worker process."""

    def request(self, tokens: int, unanswered: Callable[[], Usage] | None = None) -> AbstractAsyncContextManager[None]:
        """Hold a connection for one attempt, as soon as all limits allow it.

        Args:
            tokens: Estimated tokens of the attempt.
            unanswered: Returns what counts if this process dies before the attempt ends.
        """

    async def wait(self, seconds: float, reason: str) -> None:
        """Wait before the next attempt."""

    def count(self, usage: Usage, unreported_by: str = "") -> None:
        """Add the usage of a request.

        Args:
            usage: The usage, with upper estimates of what was not reported.
            unreported_by: The model, if it answered without reporting a usage.
        """


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of a whole run, for all its models together; None means no limit."""

    max_connections: int = 16
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    max_cost: float | None = None
    """US dollars."""
    stop_on_projected_cost: bool = False
    """Whether `max_cost` also limits what the run is projected to cost."""
    max_tokens: int | None = None
    """Input and output tokens."""
    max_time: float | None = None
    """Seconds, for the current session only."""


@dataclass
class UsageMeter:
    """Counts usage, enforces limits, and knows how many requests are in flight or waiting."""

    limits: Limits = field(default_factory=Limits)
    spent: Usage = field(default_factory=Usage)
    """All usage that was paid for, including retries and interrupted work; starts at the sum of earlier sessions."""
    retrying: int = 0
    """Requests that wait before their next attempt."""
    retries: int = 0
    on_first_retry: Callable[[str], None] | None = None
    """Receives the reason of the first retry that has one."""
    project_cost: Callable[[], float | None] = lambda: None
    """Returns the projected cost of the whole run in US dollars; None if it is unknown."""
    _requesting: int = 0
    """Requests in flight of this process."""
    _started: float = field(default_factory=time.monotonic)
    _unreported_by: str = ""
    """A model that answered without reporting its usage."""

    def __post_init__(self) -> None:
        limits = self.limits
        self.connections = SlotPool(limits.max_connections)
        # The rate limiters have no priorities, so only the most urgent request waits for them; the others wait here.
        self._rate_turn = PrioritySemaphore(1)
        self._requests = RateLimit(limits.requests_per_minute) if limits.requests_per_minute else None
        self._tokens = RateLimit(limits.tokens_per_minute) if limits.tokens_per_minute else None

    @property
    def in_flight(self) -> int:
        """Requests in flight, those of workers included."""
        return self._requesting + self.connections.running

    @property
    def needs_leases(self) -> bool:
        """Whether each request of a worker needs a lease, since a limit on rates, tokens or cost may forbid it."""
        limits = self.limits
        return any((limits.requests_per_minute, limits.tokens_per_minute)) or not (
            limits.max_cost is None and limits.max_tokens is None
        )

    @property
    def seconds_left(self) -> float | None:
        """Seconds until --max-time is reached; None if there is no such limit."""
        return None if self.limits.max_time is None else self._started + self.limits.max_time - time.monotonic()

    @asynccontextmanager
    async def request(
        self,
        tokens: int,
        unanswered: Callable[[], Usage] | None = None,
    ) -> AsyncIterator[None]:
        """Hold a connection for one attempt of about `tokens` tokens, as soon as all limits allow it.

        Raises:
            LimitReachedError: A limit of the whole run is reached.
        """
        self.check()
        priority = request_priority.get()
        with WaitingTimer():
            if self._requests or self._tokens:
                async with self._rate_turn.slot(priority):
                    await self._wait_for_rates(tokens)
            await self.connections.acquire(priority, self.connections.ticket())
        self._requesting += 1
        try:
            self.check()
            yield
        finally:
            self._requesting -= 1
            self.connections.release()

    async def wait(self, seconds: float, reason: str) -> None:
        """Wait before the next attempt."""
        self.change_retrying(1, reason)
        try:
            with WaitingTimer():
                await asyncio.sleep(seconds)
        finally:
            self.change_retrying(-1)

    def change_retrying(self, change: int, reason: str = "") -> None:
        """Add to, or subtract from, the number of requests that wait before their next attempt."""
        self.retrying += change
        self.retries += max(change, 0)
        if reason:
            log.info("retrying a request: %s", reason)
            if self.on_first_retry:
                report, self.on_first_retry = self.on_first_retry, None
                report(reason)

    def count(self, usage: Usage, unreported_by: str = "") -> None:
        """Add the usage of a request; see `RequestGate.count`."""
        self.spent += usage
        self._unreported_by = unreported_by or self._unreported_by

    def check(self) -> None:
        """Check the limits of the whole run.

        Raises:
            LimitReachedError: A limit is reached.
        """
        limits, spent = self.limits, self.spent
        if limits.max_tokens is not None:
            self._check_usage_is_reported(f"--max-tokens {limits.max_tokens}")
            tokens = spent.tokens + spent.unreported_tokens
            if tokens >= limits.max_tokens:
                used = f"{tokens} tokens are used{_estimated(spent, str(spent.tokens))}"
                raise LimitReachedError(f"--max-tokens {limits.max_tokens} is reached: {used}")
        if limits.max_cost is not None:
            flag = f"--max-cost {limits.max_cost:g}"
            self._check_usage_is_reported(flag)
            least, most = spent.cost_bounds
            if most is None:
                raise LimitReachedError(
                    f"{flag} cannot be enforced: part of the cost so far is unknown; use --max-tokens or --max-time"
                )
            if most >= limits.max_cost:
                raise LimitReachedError(f"{flag} is reached: ${most:.4f} is spent{_estimated(spent, f'${least:.4f}')}")
            projected = self.project_cost() if limits.stop_on_projected_cost else None
            if projected is not None and projected > limits.max_cost:
                raise LimitReachedError(
                    f"{flag} would be exceeded: the whole run is projected to cost ${projected:.2f}, of which "
                    f"${most:.2f} is spent; raise the limit, or leave out --stop-on-projected-cost"
                )
        if limits.max_time is not None and time.monotonic() - self._started >= limits.max_time:
            raise LimitReachedError(f"--max-time {limits.max_time:g} s is reached")

    def _check_usage_is_reported(self, flag: str) -> None:
        if self._unreported_by:
            raise LimitReachedError(
                f"{flag} cannot be enforced: {self._unreported_by} answers without reporting its usage; use --max-time"
            )

    async def _wait_for_rates(self, tokens: int) -> None:
        if self._requests:
            await self._requests.acquire()
        if self._tokens:
            await self._tokens.acquire(tokens)


def _estimated(spent: Usage, known: str) -> str:
    """Return how much of the spent sum is known, if not all of it is."""
    if not spent.unreported:
        return ""
    return f" at most ({known} for certain; {spent.unreported} requests without a reported usage are estimated)"


class WaitingTimer:
    """Context manager that adds the duration of its block to `waiting_clock`, if that is set."""

    def __enter__(self) -> None:
        self._start = time.monotonic()

    def __exit__(self, *_: object) -> None:
        clock = waiting_clock.get()
        if clock is not None:
            clock[0] += time.monotonic() - self._start

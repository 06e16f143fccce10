"""Calls of a plug-in's synchronous code in a daemon thread, each with a time limit."""

from __future__ import annotations

import asyncio
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class TooSlowError(Exception):
    """A call took longer than its limit."""


class TimedCalls:
    """Makes calls, and knows how long the current one has taken."""

    def __init__(self, seconds: float) -> None:
        """Store the limit of each call."""
        self._seconds = seconds
        self._began: float | None = None
        self.abandoned = False
        """Whether nobody waits for the calls any more; no further one is made."""

    def __call__(self, function: Callable[..., T], *args: Any) -> T:
        """Return `function(*args)`.

        Raises:
            TooSlowError: It took longer than the limit, or nobody waits for it.
        """
        if self.abandoned:
            raise TooSlowError
        began = self._began = time.monotonic()
        try:
            result = function(*args)
        finally:
            self._began = None
        if time.monotonic() - began > self._seconds:
            raise TooSlowError
        return result

    @property
    def seconds_left(self) -> float:
        """Seconds that the current call, or the next one if there is none, may still take."""
        began = self._began
        return self._seconds if began is None else began + self._seconds - time.monotonic()


async def in_daemon_thread(work: Callable[[TimedCalls], T], seconds: float) -> T:
    """Return `work(calls)` from a thread of its own, where `work` makes its calls through `calls`.

    A call that never ends is left behind: neither this process nor its event loop waits for it, also if the caller is
    cancelled.

    Args:
        work: The work.
        seconds: Maximum duration of each call.

    Raises:
        TooSlowError: A call takes longer.
    """
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[T] = loop.create_future()
    calls = TimedCalls(seconds)

    def deliver(result: Any, error: BaseException | None) -> None:
        if answer.cancelled():
            return
        if error is None:
            answer.set_result(result)
        else:
            answer.set_exception(error)

    def run() -> None:
        result, error = None, None
        try:
            result = work(calls)
        except BaseException as raised:
            error = raised
        with suppress(RuntimeError):  # the event loop has ended
            loop.call_soon_threadsafe(deliver, result, error)

    threading.Thread(target=run, name="ictbench-calls", daemon=True).start()
    try:
        while not answer.done():
            if (left := calls.seconds_left) <= 0:
                raise TooSlowError
            await asyncio.wait((answer,), timeout=left)
        return answer.result()
    finally:
        calls.abandoned = True
        answer.cancel()

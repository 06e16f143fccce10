"""Queue of blocking calls, made one after the other in the environments' thread."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Executor

T = TypeVar("T")


class CallQueue:
    """Makes blocking calls in a thread, in the order in which they arrive.

    A call may take well under a millisecond, and waking the thread and then the event loop for each would cost a good
    part of that. Calls therefore go to the thread in groups, all that arrive in one iteration of the event loop
    together, and their results return in groups: as soon as there are as many of them as calls that still wait.
    """

    def __init__(self, thread: Executor) -> None:
        self._thread = thread
        self._waiting: deque[tuple[asyncio.Future[Any], Callable[..., Any], tuple[Any, ...]]] = deque()
        self._running = False

    def call(self, function: Callable[..., T], *args: Any) -> asyncio.Future[T]:
        """Return the future result of `function(*args)`, called in the thread."""
        loop = asyncio.get_running_loop()
        result: asyncio.Future[T] = loop.create_future()
        self._waiting.append((result, function, args))
        if not self._running:
            self._running = True
            loop.call_soon(self._start, loop)
        return result

    def _start(self, loop: asyncio.AbstractEventLoop) -> None:
        self._running = bool(self._waiting)
        if not self._running:
            return
        try:
            self._thread.submit(self._call_group, loop)
        except RuntimeError as error:  # the thread has been shut down
            failed, self._waiting = self._waiting, deque()
            self._return(loop, [(result, None, error) for result, _, _ in failed])

    def _call_group(self, loop: asyncio.AbstractEventLoop) -> None:
        """Make half of the waiting calls, at least one; runs in the thread."""
        finished: list[tuple[asyncio.Future[Any], Any, BaseException | None]] = []
        while self._waiting:
            result, function, args = self._waiting.popleft()
            if result.cancelled():
                continue
            try:
                finished.append((result, function(*args), None))
            except BaseException as error:
                finished.append((result, None, error))
            if len(finished) >= len(self._waiting):
                break
        loop.call_soon_threadsafe(self._return, loop, finished)

    def _return(
        self,
        loop: asyncio.AbstractEventLoop,
        finished: list[tuple[asyncio.Future[Any], Any, BaseException | None]],
    ) -> None:
        self._start(loop)
        for result, value, error in finished:
            if result.cancelled():
                continue
            if error is None:
                result.set_result(value)
            else:
                result.set_exception(error)

"""Queue of episodes that need no event loop, played one after the other in the environments' thread."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Executor

T = TypeVar("T")


class ComputeQueue:
    """Plays the episodes of actors that never wait, in the order in which they arrive.

    Such an episode may take a few milliseconds, and waking the event loop after each one would cost a good part of
    that. Finished episodes are therefore returned in groups: as soon as there are as many of them as still wait.
    """

    def __init__(self, thread: Executor) -> None:
        self._thread = thread
        self._waiting: deque[tuple[asyncio.Future[Any], Callable[[], Any]]] = deque()
        self._running = False

    async def play(self, play: Callable[[], T]) -> T:
        """Return `play()`, called in the thread."""
        loop = asyncio.get_running_loop()
        result: asyncio.Future[T] = loop.create_future()
        self._waiting.append((result, play))
        if not self._running:
            self._start(loop)
        return await result

    def _start(self, loop: asyncio.AbstractEventLoop) -> None:
        self._running = bool(self._waiting)
        if self._running:
            self._thread.submit(self._play_group, loop)

    def _play_group(self, loop: asyncio.AbstractEventLoop) -> None:
        """Play half of the waiting episodes, at least one; runs in the thread."""
        finished: list[tuple[asyncio.Future[Any], Any]] = []
        while self._waiting:
            result, play = self._waiting.popleft()
            if result.cancelled():
                continue
            try:
                finished.append((result, play()))
            except BaseException as error:
                finished.append((result, error))
            if len(finished) >= len(self._waiting):
                break
        loop.call_soon_threadsafe(self._return, loop, finished)

    def _return(
        self,
        loop: asyncio.AbstractEventLoop,
        finished: list[tuple[asyncio.Future[Any], Any]],
    ) -> None:
        self._start(loop)
        for result, outcome in finished:
            if result.cancelled():
                continue
            if isinstance(outcome, BaseException):
                result.set_exception(outcome)
            else:
                result.set_result(outcome)

"""Synchronous work in a thread beside the event loop, which may wait for what only the loop can do."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from concurrent.futures import Future

T = TypeVar("T")


class Beside:
    """One such piece of work. The first error of what it waited for ends it, whatever it makes of errors itself."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._awaited: Future[Any] | None = None
        self._error: BaseException | None = None

    async def run(self, work: Callable[[], T]) -> T:
        """What the work answers.

        Raises:
            BaseException: what it waited for raised it, or the work itself.
        """
        # Not one of the loop's own threads: what this one waits for may need those.
        thread = ThreadPoolExecutor(1)
        try:
            answer = await self._loop.run_in_executor(thread, work)
        except asyncio.CancelledError as error:
            self._error = self._error or error
            if self._awaited:
                self._awaited.cancel()
            raise
        except Exception as error:
            raise (self._error or error) from None
        finally:
            thread.shutdown(wait=False)
        if self._error:
            raise self._error
        return answer

    def wait(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Called in the thread: what the coroutine answers, which the loop runs."""
        if self._error:
            coroutine.close()
            raise RuntimeError("it has ended already") from self._error
        self._awaited = awaited = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        try:
            return awaited.result()
        except BaseException as error:
            self._error = self._error or error
            raise

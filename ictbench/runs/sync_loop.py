"""For callers that are not asynchronous: an event loop of our own, in a thread of its own.

It works inside a notebook, whose own loop is busy, and stops cleanly at Ctrl-C.
"""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future, wait
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

T = TypeVar("T")


class BackgroundLoop:
    """An event loop that any thread may run coroutines on, one after another or side by side, until it is closed.

    A `daemon` is forgotten where the program ends without closing it; otherwise the program waits for it.
    """

    def __init__(self, *, daemon: bool = False) -> None:
        self._started: Future[asyncio.AbstractEventLoop] = Future()
        self._over = asyncio.Event()
        self._thread = threading.Thread(target=asyncio.run, args=(self._serve(),), name="ictbench-loop", daemon=daemon)
        self._thread.start()
        self._loop = self._started.result()

    def run(self, main: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Run `main()` to its end and return its answer.

        At KeyboardInterrupt the coroutine is cancelled, waited for, and the interrupt raised again.
        """
        answer: Future[T] = Future()
        begun: Future[asyncio.Task[None]] = Future()

        def begin() -> None:
            task = self._loop.create_task(_answered(main, answer))
            # One that is cancelled before its first step has not answered.
            task.add_done_callback(lambda _: answer.cancel())
            begun.set_result(task)

        self._loop.call_soon_threadsafe(begin)
        try:
            return answer.result()
        except KeyboardInterrupt:
            self._loop.call_soon_threadsafe(begun.result().cancel)
            wait([answer])
            raise

    def close(self) -> None:
        """Cancel what still runs, and end the thread."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join()

    async def _serve(self) -> None:
        self._started.set_result(asyncio.get_running_loop())
        await self._over.wait()


async def _answered(main: Callable[[], Coroutine[Any, Any, T]], answer: Future[T]) -> None:
    """Whatever ends `main` is for the caller: the loop goes on."""
    try:
        answer.set_result(await main())
    except BaseException as error:
        answer.set_exception(error)


def run_blocking(main: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run `main()` to its end in a background thread and return its answer.

    At KeyboardInterrupt the coroutine is cancelled, waited for, and the interrupt raised again.
    """
    loop = BackgroundLoop()
    try:
        return loop.run(main)
    finally:
        loop.close()

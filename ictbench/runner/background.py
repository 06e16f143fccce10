"""For callers that are not asynchronous: an event loop of our own, in a thread of its own.

It works inside a notebook, whose own loop is busy, and stops cleanly at Ctrl-C.
"""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

T = TypeVar("T")


def run_blocking(main: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run `main()` to its end in a background thread and return its answer.

    At KeyboardInterrupt the coroutine is cancelled, waited for, and the interrupt raised again.
    """
    answer: Future[T] = Future()
    started: Future[tuple[asyncio.AbstractEventLoop, asyncio.Task[Any]]] = Future()

    async def supervised() -> T:
        task = asyncio.current_task()
        assert task is not None
        started.set_result((asyncio.get_running_loop(), task))
        return await main()

    def in_thread() -> None:
        try:
            answer.set_result(asyncio.run(supervised()))
        except BaseException as error:
            answer.set_exception(error)

    thread = threading.Thread(target=in_thread, name="ictbench-loop")
    thread.start()
    try:
        return answer.result()
    except KeyboardInterrupt:
        loop, task = started.result()
        if not answer.done():
            loop.call_soon_threadsafe(task.cancel)
        raise
    finally:
        thread.join()

"""Coroutines run from synchronous code, on an event loop in a background thread.

This also works where an event loop already runs in the caller's thread, as in a notebook.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import Future, wait
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Any, TypeVar

from ictbench.errors import stopped_by

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

    from anyio.abc import TaskStatus
    from anyio.from_thread import BlockingPortal

T = TypeVar("T")


def run_blocking(main: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run `main()` on a new event loop and return its result; see `run_on_portal` for interrupts."""
    with start_portal() as portal:
        return run_on_portal(portal, main)


@contextmanager
def start_portal() -> Iterator[BlockingPortal]:
    """Start an event loop in a daemon thread. On leaving, cancel what it still runs and end the thread."""
    from anyio.from_thread import start_blocking_portal  # 50 ms

    with ExitStack() as stack:
        portal = stack.enter_context(start_blocking_portal(name="ictbench-loop"))
        stack.callback(_cancel_all, portal)
        yield portal


def run_on_portal(portal: BlockingPortal, main: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run `main()` on the portal's event loop and return its result, or raise its error.

    At KeyboardInterrupt, cancel the coroutine, wait until it has cleaned up, and raise the interrupt again.
    """
    # Not `portal.call`: there, SystemExit ends the loop, and cancelling does not wait for the cleanup.
    result: Future[T] = Future()

    async def run(*, task_status: TaskStatus[asyncio.Task[Any] | None]) -> None:
        task_status.started(asyncio.current_task())
        try:
            result.set_result(await main())
        except BaseException as error:
            result.set_exception(error)

    _, task = portal.start_task(run)
    try:
        return result.result()
    except KeyboardInterrupt as error:
        # Not a cancel scope of anyio: it would also cancel every await of the cleanup.
        portal.call(task.cancel, stopped_by(error))
        wait([result])
        raise


def _cancel_all(portal: BlockingPortal) -> None:
    # RuntimeError: the loop has ended already, e.g. at a SystemExit in one of its tasks.
    with suppress(RuntimeError):
        portal.call(portal.stop, True)

"""Blocking code in a worker thread that calls coroutines on the event loop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

T = TypeVar("T")


class CallOnLoop(Protocol):
    """Runs `function(*args)` on the event loop and blocks until it has finished."""

    def __call__(self, function: Callable[..., Coroutine[Any, Any, T]], *args: Any) -> T:
        """Return what the coroutine returns, or raise its error."""


async def run_with_loop_calls(work: Callable[[CallOnLoop], T]) -> T:
    """Run `work(call)` in a worker thread and return its result; in the thread, `call` runs coroutines on this loop.

    The first error of a call ends the work, even where the work catches it: no later call is made, and the error is
    raised here. Cancellation cancels the coroutine that the thread waits for.
    """
    from anyio import CapacityLimiter, to_thread  # 50 ms
    from anyio.from_thread import BlockingPortal

    errors: list[BaseException] = []
    results: list[T] = []

    def call(function: Callable[..., Coroutine[Any, Any, Any]], *args: Any) -> Any:
        if errors:
            raise RuntimeError("an earlier call failed") from errors[0]
        try:
            return portal.call(function, *args)
        except BaseException as error:
            errors.append(error)
            raise

    def run() -> None:
        try:
            results.append(work(call))
        except BaseException as error:
            # Kept, not raised: the portal would wrap it in an ExceptionGroup.
            errors.append(error)

    async with BlockingPortal() as portal:
        # A limiter of its own: a coroutine that the thread waits for may need one of the loop's usual threads.
        await to_thread.run_sync(run, limiter=CapacityLimiter(1))
    if errors:
        raise errors[0]
    return results[0]

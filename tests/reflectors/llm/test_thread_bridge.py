from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, NoReturn

import pytest

from ictbench.reflectors.llm.thread_bridge import run_with_loop_calls

if TYPE_CHECKING:
    from ictbench.reflectors.llm.thread_bridge import CallOnLoop


async def double(number: int) -> int:
    await asyncio.sleep(0)
    return 2 * number


async def fail(error: Exception) -> NoReturn:
    raise error


def test_a_worker_thread_calls_coroutines_on_the_loop() -> None:
    async def main() -> tuple[int, bool]:
        loop_thread = threading.get_ident()
        return await run_with_loop_calls(
            lambda call: (call(double, call(double, 3)), loop_thread != threading.get_ident())
        )

    assert asyncio.run(main()) == (12, True)


def test_the_first_error_of_a_call_is_raised_though_the_work_catches_it() -> None:
    caught = list[str]()

    def work(call: CallOnLoop) -> str:
        for error in (KeyError("first"), KeyError("second")):
            try:
                call(fail, error)
            except Exception as problem:
                caught.append(f"{type(problem).__name__} {problem}")
        return "all is well"

    with pytest.raises(KeyError, match="first"):
        asyncio.run(run_with_loop_calls(work))
    # The second call is not made.
    assert caught == ["KeyError 'first'", "RuntimeError an earlier call failed"]


def test_an_error_of_the_work_itself_is_raised() -> None:
    def work(call: CallOnLoop) -> NoReturn:
        raise ValueError("its own")

    with pytest.raises(ValueError, match="its own"):
        asyncio.run(run_with_loop_calls(work))


def test_calls_that_need_threads_do_not_deadlock() -> None:
    async def in_a_thread(number: int) -> int:
        return await asyncio.to_thread(lambda: number)

    async def one(number: int) -> int:
        return await run_with_loop_calls(lambda call: call(in_a_thread, number))

    async def main() -> list[int]:
        return await asyncio.gather(*map(one, range(64)))

    assert asyncio.run(main()) == list(range(64))


def test_cancellation_reaches_the_coroutine_and_the_thread() -> None:
    cancelled, ended = threading.Event(), threading.Event()

    async def sleep() -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            cancelled.set()

    def work(call: CallOnLoop) -> None:
        try:
            call(sleep)
        finally:
            ended.set()

    async def main() -> None:
        task = asyncio.create_task(run_with_loop_calls(work))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert cancelled.is_set()

    asyncio.run(main())
    assert ended.wait(5)

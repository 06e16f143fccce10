from __future__ import annotations

import asyncio
import threading
from typing import NoReturn

import pytest

from ictbench.reflectors.llm.thread_bridge import Beside


async def double(number: int) -> int:
    await asyncio.sleep(0)
    return 2 * number


async def fail(error: Exception) -> NoReturn:
    raise error


def test_work_beside_the_loop_waits_for_what_the_loop_does() -> None:
    async def main() -> tuple[int, bool]:
        beside, loop_thread = Beside(), threading.get_ident()
        return await beside.run(
            lambda: (beside.wait(double(beside.wait(double(3)))), loop_thread != threading.get_ident())
        )

    assert asyncio.run(main()) == (12, True)


def test_the_first_error_that_was_waited_for_counts_though_the_work_goes_on() -> None:
    done = list[str]()

    def work(beside: Beside) -> str:
        for error in (KeyError("first"), KeyError("second")):
            try:
                beside.wait(fail(error))
            except Exception as caught:
                done.append(f"{type(caught).__name__} {caught}")
        return "all is well"

    async def main() -> str:
        beside = Beside()
        return await beside.run(lambda: work(beside))

    with pytest.raises(KeyError, match="first"):
        asyncio.run(main())
    # Nothing more is done for work that has ended.
    assert done == ["KeyError 'first'", "RuntimeError it has ended already"]


def test_an_error_of_the_work_itself_is_passed_on() -> None:
    def work() -> NoReturn:
        raise ValueError("its own")

    async def main() -> None:
        await Beside().run(work)

    with pytest.raises(ValueError, match="its own"):
        asyncio.run(main())


def test_many_can_wait_for_the_loops_own_threads_at_once() -> None:
    async def one(number: int) -> int:
        beside = Beside()
        return await beside.run(lambda: beside.wait(asyncio.to_thread(lambda: number)))

    async def main() -> list[int]:
        return await asyncio.gather(*map(one, range(64)))

    assert asyncio.run(main()) == list(range(64))


def test_work_that_is_cancelled_ends() -> None:
    ended = threading.Event()

    def work(beside: Beside) -> None:
        try:
            beside.wait(asyncio.sleep(3600))
        finally:
            ended.set()

    async def main() -> None:
        beside = Beside()
        task = asyncio.create_task(beside.run(lambda: work(beside)))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert ended.wait(5)

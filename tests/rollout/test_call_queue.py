from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from ictbench.rollout.call_queue import CallQueue

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture
def thread() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as thread:
        yield thread


def start(queue: CallQueue, *calls: Callable[[], Any]) -> list[asyncio.Future[Any]]:
    return [queue.call(call) for call in calls]


def test_episodes_are_played_in_order_of_arrival_in_the_thread(thread: ThreadPoolExecutor) -> None:
    played: list[tuple[int, int]] = []

    def play(number: int) -> int:
        played.append((number, threading.get_ident()))
        return number

    async def go() -> None:
        queue = CallQueue(thread)
        tasks = start(queue, *(lambda number=number: play(number) for number in range(20)))
        assert await asyncio.gather(*tasks) == list(range(20))
        # The queue starts again after it was empty.
        assert await queue.call(lambda: play(20)) == 20

    asyncio.run(go())
    assert [number for number, _ in played] == list(range(21))
    assert len({ident for _, ident in played}) == 1
    assert threading.get_ident() not in {ident for _, ident in played}


def test_finished_episodes_return_when_as_many_are_finished_as_wait(thread: ThreadPoolExecutor) -> None:
    async def go() -> None:
        queue, first_gate, second_gate = CallQueue(thread), threading.Event(), threading.Event()
        (first,) = start(queue, lambda: first_gate.wait(30))
        await asyncio.sleep(0)
        tasks = start(queue, *[lambda: 1] * 4, lambda: second_gate.wait(30), *[lambda: 1] * 3)
        await asyncio.sleep(0)
        first_gate.set()
        # The first five of nine episodes return, although the sixth blocks the thread.
        await asyncio.wait([first, *tasks[:4]], timeout=30)
        assert first.done()
        assert [task.done() for task in tasks] == [True] * 4 + [False] * 4
        second_gate.set()
        await asyncio.gather(first, *tasks)

    asyncio.run(go())


def test_error_of_an_episode_is_raised_and_the_queue_goes_on(thread: ThreadPoolExecutor) -> None:
    async def go() -> None:
        queue = CallQueue(thread)
        first, broken, last = start(queue, lambda: 1, lambda: 1 // 0, lambda: 3)
        assert await first == 1
        with pytest.raises(ZeroDivisionError):
            await broken
        assert await last == 3

    asyncio.run(go())


def test_cancelled_episode_is_not_played_if_it_still_waits(thread: ThreadPoolExecutor) -> None:
    played: list[str] = []

    async def go() -> None:
        queue, gate = CallQueue(thread), threading.Event()
        running, waiting, last = start(
            queue, lambda: gate.wait(30), lambda: played.append("waiting"), lambda: played.append("last")
        )
        await asyncio.sleep(0.05)
        waiting.cancel()
        running.cancel()
        await asyncio.sleep(0)
        gate.set()
        await last
        assert running.cancelled()
        assert waiting.cancelled()

    asyncio.run(go())
    assert played == ["last"]

"""Slots lent in blocks: real borrowers of workers, whose messages arrive late and in order."""

from __future__ import annotations

import asyncio
import random
from collections import Counter, deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from ictbench.models.slot_pool import SlotPool
from ictbench.rollout.remote.borrowed_slots import BorrowedSlots

if TYPE_CHECKING:
    from collections.abc import Callable

PRIORITIES = (0, 1, 2)


class Borrower:
    """A worker, connected by two queues of messages that a test delivers."""

    def __init__(self, pool: SlotPool) -> None:
        self.slots = BorrowedSlots(self._report)
        self.to_pool: deque[tuple[Any, ...]] = deque()
        self.to_worker: deque[tuple[int, int | None]] = deque()
        self.messages = 0
        self.block = pool.lend(lambda gained, keep: self.to_worker.append((gained, keep)))

    def _report(self, urgent: bool) -> None:
        report = (self.slots.running, list(self.slots.demand.items()), self.slots.take_returned())
        if not urgent and not report[2] and self.to_pool:
            self.to_pool[-1] = (*report[:2], self.to_pool[-1][2])
        else:
            self.to_pool.append(report)

    def deliver(self) -> bool:
        """Deliver one message in each direction."""
        if self.to_pool:
            self.block.report(*self.to_pool.popleft())
            self.messages += 1
        elif not self.to_worker:
            return False
        if self.to_worker:
            self.slots.receive(*self.to_worker.popleft())
            self.messages += 1
        return True


class Requests:
    """Requests of borrowers and of the coordinator itself, each of which runs until it is ended."""

    def __init__(self, slots: int, borrowers: int) -> None:
        self.count = slots
        self.pool = SlotPool(slots)
        self.borrowers = [Borrower(self.pool) for _ in range(borrowers)]
        self.running: list[tuple[asyncio.Event, int | None, int]] = []
        self.started: list[tuple[int | None, int]] = []
        self.tasks: list[asyncio.Task[None]] = []

    def start(self, who: int | None, priority: int) -> asyncio.Task[None]:
        self.tasks.append(asyncio.create_task(self._request(who, priority)))
        return self.tasks[-1]

    async def _request(self, who: int | None, priority: int) -> None:
        release: Callable[[], None]
        if who is None:
            await self.pool.acquire(priority, self.pool.ticket())
            release = self.pool.release
        else:
            slots = self.borrowers[who].slots
            if not slots.try_acquire(priority):
                await slots.acquire(priority)
            release = lambda: slots.release(priority)  # noqa: E731
        entry = (asyncio.Event(), who, priority)
        self.running.append(entry)
        self.started.append((who, priority))
        assert len(self.running) <= self.count
        try:
            await entry[0].wait()
        finally:
            self.running.remove(entry)
            release()

    async def settle(self) -> None:
        """Deliver all messages."""
        for _ in range(10_000):
            for _ in range(3):
                await asyncio.sleep(0)
            if not [one for one in self.borrowers if one.deliver()]:
                return
        raise AssertionError("the messages never end")

    async def cancel(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)


@given(
    st.integers(1, 5),
    st.integers(1, 3),
    st.lists(st.tuples(st.sampled_from(["start", "end", "cancel", "deliver"]), st.integers(0, 2**16)), max_size=60),
)
def test_no_more_requests_than_slots_run_and_none_waits_while_a_slot_is_free(
    slots: int, borrowers: int, actions: list[tuple[str, int]]
) -> None:
    async def go() -> None:
        requests = Requests(slots, borrowers)
        for action, number in actions:
            match action:
                case "start":
                    who = number % (borrowers + 1)
                    requests.start(who if who < borrowers else None, number // 7 % 3)
                case "end" if requests.running:
                    requests.running[number % len(requests.running)][0].set()
                case "cancel" if unfinished := [task for task in requests.tasks if not task.done()]:
                    unfinished[number % len(unfinished)].cancel()
                case "deliver":
                    requests.borrowers[number % borrowers].deliver()
            for _ in range(number % 3):
                await asyncio.sleep(0)
        await requests.settle()
        left = sum(not task.done() for task in requests.tasks)
        assert len(requests.running) == min(slots, left)
        # The coordinator knows what runs.
        assert requests.pool.running == sum(who is not None for _, who, _ in requests.running)
        # All get their turn.
        while requests.running:
            requests.running[0][0].set()
            await requests.settle()
        assert all(task.done() for task in requests.tasks)
        # Lost borrowers return everything.
        for borrower in requests.borrowers:
            borrower.block.close()
        for _ in range(slots):
            async with asyncio.timeout(10):
                await requests.pool.acquire(0, requests.pool.ticket())

    asyncio.run(go())


def test_waiting_requests_are_served_by_priority_whoever_holds_the_slots() -> None:
    async def go() -> None:
        requests, rng = Requests(4, 2), random.Random(0)
        for _ in range(4):
            requests.start(0, 2)
        await requests.settle()
        waiting = [(who, priority) for who in (0, 1, None) for priority in PRIORITIES for _ in range(3)]
        rng.shuffle(waiting)
        for who, priority in waiting:
            requests.start(who, priority)
        await requests.settle()
        while requests.running:
            requests.running[0][0].set()
            await requests.settle()
        assert [priority for _, priority in requests.started[4:]] == sorted(priority for _, priority in waiting)

    asyncio.run(go())


def test_borrowers_share_slots_equally_even_where_there_are_fewer_slots_than_borrowers() -> None:
    async def go(slots: int) -> Counter[int | None]:
        requests = Requests(slots, 3)
        for _ in range(40):
            requests.start(0, 1)
        await requests.settle()
        for who in (1, 2):
            for _ in range(40):
                requests.start(who, 1)
        await requests.settle()
        requests.started.clear()
        while len(requests.started) < 60:
            requests.running[0][0].set()
            await requests.settle()
        await requests.cancel()
        return Counter(who for who, _ in requests.started)

    for slots in (1, 2, 6):
        served = asyncio.run(go(slots))
        assert max(served.values()) - min(served.values()) <= slots + 2, (slots, served)


def test_steady_requests_need_no_messages_for_slots_and_idle_slots_move_to_whom_needs_them() -> None:
    async def go() -> None:
        requests = Requests(8, 2)
        for _ in range(6):
            requests.start(0, 1)
        await requests.settle()
        for _ in range(50):
            requests.running[0][0].set()
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            requests.start(0, 1)
            await asyncio.sleep(0)
            assert len(requests.running) == 6
        await requests.settle()
        for event, _, _ in requests.running:
            event.set()
        await requests.settle()
        for _ in range(7):
            requests.start(1, 2)
        await requests.settle()
        assert len(requests.running) == 7
        await requests.cancel()

    asyncio.run(go())


def test_error_reaches_requests_that_wait_and_leaves_those_that_run() -> None:
    async def go() -> None:
        requests = Requests(1, 1)
        running, waiting = requests.start(0, 0), requests.start(0, 0)
        await requests.settle()
        requests.borrowers[0].slots.fail(TimeoutError())
        await requests.settle()
        with suppress(TimeoutError):
            await waiting
        assert isinstance(waiting.exception(), TimeoutError)
        assert not running.done()
        assert requests.borrowers[0].slots.demand == {0: 1}
        await requests.cancel()

    asyncio.run(go())

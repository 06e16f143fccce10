from __future__ import annotations

import asyncio
from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from ictbench.semaphore import PrioritySemaphore


class Holders:
    """Tasks that acquire a slot, hold it until they are released, and can be cancelled at any moment."""

    def __init__(self, slots: int) -> None:
        self.slots = slots
        self.semaphore = PrioritySemaphore(slots)
        self.tasks: list[asyncio.Task[None]] = []
        self.released: list[asyncio.Event] = []
        self.holding: list[int] = []
        self.acquired: list[int] = []

    def start(self, priority: int) -> None:
        self.released.append(asyncio.Event())
        self.tasks.append(asyncio.create_task(self._hold(len(self.tasks), priority)))

    async def _hold(self, number: int, priority: int) -> None:
        async with self.semaphore.slot(priority):
            self.acquired.append(number)
            self.holding.append(number)
            assert len(self.holding) <= self.slots
            try:
                await self.released[number].wait()
            finally:
                self.holding.remove(number)

    def release(self, which: int) -> None:
        if self.holding:
            self.released[self.holding[which % len(self.holding)]].set()

    def cancel(self, which: int) -> None:
        unfinished = [task for task in self.tasks if not task.done()]
        if unfinished:
            unfinished[which % len(unfinished)].cancel()

    async def settle(self) -> None:
        """Let all tasks proceed as far as they can, and check that no free slot is left unused."""
        for _ in range(8):
            await asyncio.sleep(0)
        unfinished = sum(not task.done() for task in self.tasks)
        assert len(self.holding) == min(self.slots, unfinished)

    async def finish(self) -> None:
        """Release all slots, and check that every task ends."""
        for event in self.released:
            event.set()
        for _ in range(8 * len(self.tasks)):
            await asyncio.sleep(0)
        assert all(task.done() for task in self.tasks)
        for task in self.tasks:
            with suppress(asyncio.CancelledError):
                task.result()


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["start", "release", "cancel", "release, then cancel", "tick", "settle"]),
        st.integers(0, 9),
    ),
    min_size=4,
    max_size=40,
)


@given(st.integers(1, 3), st.lists(st.integers(0, 2), min_size=1, max_size=6), STEPS)
def test_no_slot_is_lost_or_given_twice_when_holders_and_waiters_are_cancelled(
    slots: int, priorities: list[int], steps: list[tuple[str, int]]
) -> None:
    async def go() -> None:
        holders = Holders(slots)
        for priority in priorities:
            holders.start(priority)
        await holders.settle()
        for step, number in steps:
            match step:
                case "start":
                    holders.start(number % 3)
                case "release":
                    holders.release(number)
                case "cancel":
                    holders.cancel(number)
                case "release, then cancel":
                    holders.release(number)
                    await asyncio.sleep(0)
                    holders.cancel(number)
                case "tick":
                    await asyncio.sleep(0)
                case "settle":
                    await holders.settle()
        await holders.settle()
        await holders.finish()
        for _ in range(slots + 1):
            holders.start(0)
        await holders.settle()
        assert len(holders.holding) == slots
        await holders.finish()

    asyncio.run(go())


def test_a_waiter_that_is_cancelled_on_its_turn_passes_the_slot_on() -> None:
    async def go() -> None:
        holders = Holders(1)
        for _ in range(3):
            holders.start(0)
        await holders.settle()
        holders.released[0].set()
        await asyncio.sleep(0)
        holders.tasks[1].cancel()
        await holders.settle()
        assert holders.acquired == [0, 2]
        await holders.finish()

    asyncio.run(go())


@given(st.lists(st.integers(0, 2), min_size=1, max_size=12))
def test_waiters_are_served_by_priority_and_then_in_order_of_arrival(priorities: list[int]) -> None:
    async def go() -> None:
        holders = Holders(1)
        holders.start(2)
        await holders.settle()
        for priority in priorities:
            holders.start(priority)
        await holders.settle()
        await holders.finish()
        by_priority = sorted(range(len(priorities)), key=lambda number: priorities[number])
        assert holders.acquired == [0, *(number + 1 for number in by_priority)]

    asyncio.run(go())


def test_among_equal_priorities_the_lower_ticket_goes_first_even_if_it_waits_later() -> None:
    async def go() -> list[str]:
        semaphore = PrioritySemaphore(1)
        acquired: list[str] = []

        async def acquire(name: str, ticket: int) -> None:
            await semaphore.acquire(1, ticket)
            acquired.append(name)

        early, late = semaphore.ticket(), semaphore.ticket()
        await semaphore.acquire(1, semaphore.ticket())
        waiting = [asyncio.create_task(acquire("late", late)), asyncio.create_task(acquire("early", early))]
        for _ in waiting:
            await asyncio.sleep(0)
            semaphore.release()
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        await asyncio.gather(*waiting)
        return acquired

    assert asyncio.run(go()) == ["early", "late"]

from __future__ import annotations

import asyncio
from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from ictbench.semaphore import PrioritySemaphore


class Visitors:
    """Tasks that want a slot, hold it until told to leave, and may be cancelled at any moment."""

    def __init__(self, slots: int) -> None:
        self.most = slots
        self.slots = PrioritySemaphore(slots)
        self.tasks: list[asyncio.Task[None]] = []
        self.leave: list[asyncio.Event] = []
        self.inside: list[int] = []
        self.entered: list[int] = []

    def arrive(self, priority: int) -> None:
        self.leave.append(asyncio.Event())
        self.tasks.append(asyncio.create_task(self._visit(len(self.tasks), priority)))

    async def _visit(self, number: int, priority: int) -> None:
        async with self.slots.slot(priority):
            self.entered.append(number)
            self.inside.append(number)
            assert len(self.inside) <= self.most
            try:
                await self.leave[number].wait()
            finally:
                self.inside.remove(number)

    def send_away(self, which: int) -> None:
        if self.inside:
            self.leave[self.inside[which % len(self.inside)]].set()

    def cancel(self, which: int) -> None:
        here = [task for task in self.tasks if not task.done()]
        if here:
            here[which % len(here)].cancel()

    async def settle(self) -> None:
        for _ in range(8):
            await asyncio.sleep(0)
        wanted = sum(not task.done() for task in self.tasks)
        assert len(self.inside) == min(self.most, wanted)

    async def empty(self) -> None:
        for event in self.leave:
            event.set()
        for _ in range(8 * len(self.tasks)):
            await asyncio.sleep(0)
        assert all(task.done() for task in self.tasks)
        for task in self.tasks:
            with suppress(asyncio.CancelledError):
                task.result()


MOVES = st.lists(
    st.tuples(
        st.sampled_from(["arrive", "leave", "cancel", "leave, and cancel whoever is next", "tick", "settle"]),
        st.integers(0, 9),
    ),
    min_size=4,
    max_size=40,
)


@given(st.integers(1, 3), st.lists(st.integers(0, 2), min_size=1, max_size=6), MOVES)
def test_no_slot_is_lost_or_given_twice_whoever_leaves_or_is_cancelled_when(
    slots: int, early: list[int], moves: list[tuple[str, int]]
) -> None:
    async def go() -> None:
        visitors = Visitors(slots)
        for priority in early:
            visitors.arrive(priority)
        await visitors.settle()
        for move, number in moves:
            match move:
                case "arrive":
                    visitors.arrive(number % 3)
                case "leave":
                    visitors.send_away(number)
                case "cancel":
                    visitors.cancel(number)
                case "leave, and cancel whoever is next":
                    visitors.send_away(number)
                    await asyncio.sleep(0)
                    visitors.cancel(number)
                case "tick":
                    await asyncio.sleep(0)
                case "settle":
                    await visitors.settle()
        await visitors.settle()
        await visitors.empty()
        for _ in range(slots + 1):
            visitors.arrive(0)
        await visitors.settle()
        assert len(visitors.inside) == slots
        await visitors.empty()

    asyncio.run(go())


def test_a_waiter_cancelled_in_the_moment_of_its_turn_passes_it_on() -> None:
    async def go() -> None:
        visitors = Visitors(1)
        for _ in range(3):
            visitors.arrive(0)
        await visitors.settle()
        visitors.leave[0].set()
        await asyncio.sleep(0)
        visitors.tasks[1].cancel()
        await visitors.settle()
        assert visitors.entered == [0, 2]
        await visitors.empty()

    asyncio.run(go())


@given(st.lists(st.integers(0, 2), min_size=1, max_size=12))
def test_waiters_are_served_by_priority_and_then_in_order_of_arrival(priorities: list[int]) -> None:
    async def go() -> None:
        visitors = Visitors(1)
        visitors.arrive(2)
        await visitors.settle()
        for priority in priorities:
            visitors.arrive(priority)
        await visitors.settle()
        await visitors.empty()
        by_priority = sorted(range(len(priorities)), key=lambda number: priorities[number])
        assert visitors.entered == [0, *(number + 1 for number in by_priority)]

    asyncio.run(go())


def test_of_equal_priority_the_older_ticket_goes_first_whenever_it_asks() -> None:
    async def go() -> list[str]:
        slots = PrioritySemaphore(1)
        entered: list[str] = []

        async def enter(name: str, ticket: int) -> None:
            await slots.acquire(1, ticket)
            entered.append(name)

        early, late = slots.ticket(), slots.ticket()
        await slots.acquire(1, slots.ticket())
        waiting = [asyncio.create_task(enter("late", late)), asyncio.create_task(enter("early", early))]
        for _ in waiting:
            await asyncio.sleep(0)
            slots.release()
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        await asyncio.gather(*waiting)
        return entered

    assert asyncio.run(go()) == ["early", "late"]

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ictbench.actors import Actor, History
from ictbench.engine import EpisodeWorker, InlineExecutor, Priority
from ictbench.engine.inline import PrioritySlots
from ictbench.envs import TextEnv
from ictbench.errors import EnvError
from ictbench.records import Decision, Episode, EpisodeSpec, Observation, PluginSpec, Task


class Bell(TextEnv):
    """Rung once, it is solved."""

    def reset(self, task: Task) -> Observation:
        return Observation(text="A bell.", actions=("ring", "crack"))

    def step(self, action: str) -> Observation:
        if action == "crack":
            raise EnvError("the bell broke")
        return Observation(text="Ding.", actions=("ring",), end="solved")

    def close(self) -> None: ...

    def versions(self) -> dict[str, str]:
        return {}


class Ringer(Actor):
    """Rings when the gate of its prompt is open, and counts how many are at it."""

    gates: ClassVar[dict[str, asyncio.Event]] = {}
    began: ClassVar[list[str]] = []
    busy: ClassVar[int] = 0
    busiest: ClassVar[int] = 0

    async def act(self, prompt: str, history: History, seed: int) -> Decision:
        self.began.append(prompt)
        Ringer.busy += 1
        Ringer.busiest = max(Ringer.busiest, Ringer.busy)
        try:
            await asyncio.sleep(0.001)
            if prompt in self.gates:
                await self.gates[prompt].wait()
        finally:
            Ringer.busy -= 1
        return Decision(action="crack" if prompt == "crack" else "ring")


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Ringer, "gates", {})
    monkeypatch.setattr(Ringer, "began", [])
    monkeypatch.setattr(Ringer, "busy", 0)
    monkeypatch.setattr(Ringer, "busiest", 0)


def spec(prompt: str) -> EpisodeSpec:
    return EpisodeSpec(
        task=Task(id="bell-1", family="bell", env=f"{__name__}:Bell", params={}),
        prompt=prompt,
        actor=PluginSpec(label="me", name=f"{__name__}:Ringer"),
        max_steps=3,
        seed=1,
    )


def play_all(cap: int, prompts: list[tuple[str, Priority]]) -> list[Episode | BaseException]:
    async def go() -> list[Episode | BaseException]:
        executor = InlineExecutor(cap)
        played = await asyncio.gather(
            *(executor.play(spec(prompt), priority) for prompt, priority in prompts), return_exceptions=True
        )
        await executor.aclose()
        return played

    return asyncio.run(go())


@pytest.mark.parametrize("cap", [1, 3])
def test_as_many_episodes_are_in_flight_as_allowed_and_never_more(cap: int) -> None:
    prompts = [str(number) for number in range(12)]
    played = play_all(cap, [(prompt, Priority.TEST) for prompt in prompts])
    assert [episode.key for episode in played if isinstance(episode, Episode)] == [
        spec(prompt).key for prompt in prompts
    ]
    assert Ringer.busiest == cap


def test_episodes_do_not_wait_for_a_slow_one(monkeypatch: pytest.MonkeyPatch) -> None:
    async def go() -> None:
        gate = asyncio.Event()
        monkeypatch.setitem(Ringer.gates, "slow", gate)
        executor = InlineExecutor(2)
        slow = asyncio.create_task(executor.play(spec("slow"), Priority.EXPERIENCE))
        others = [executor.play(spec(str(number)), Priority.TEST) for number in range(10)]
        async with asyncio.timeout(30):
            episodes = await asyncio.gather(*others)
        assert all(episode.trajectory.solved for episode in episodes)
        assert not slow.done()
        gate.set()
        assert (await slow).trajectory.solved
        await executor.aclose()

    asyncio.run(go())


def test_what_queues_is_played_by_priority_and_then_in_order_of_arrival() -> None:
    prompts = [
        ("first", Priority.TEST),
        ("test a", Priority.TEST),
        ("selection a", Priority.SELECTION),
        ("test b", Priority.TEST),
        ("experience a", Priority.EXPERIENCE),
        ("selection b", Priority.SELECTION),
        ("experience b", Priority.EXPERIENCE),
    ]
    play_all(1, prompts)
    assert Ringer.began == [
        "first",
        "experience a",
        "experience b",
        "selection a",
        "selection b",
        "test a",
        "test b",
    ]


def test_a_broken_episode_gives_its_slot_back() -> None:
    played = play_all(1, [("crack", Priority.TEST), ("crack", Priority.TEST), ("ring", Priority.TEST)])
    assert [type(episode) for episode in played] == [EnvError, EnvError, Episode]


def test_an_executor_uses_the_worker_it_is_given() -> None:
    async def go() -> None:
        worker = EpisodeWorker()
        executor = InlineExecutor(1, worker)
        assert executor.worker is worker
        await executor.aclose()
        with pytest.raises(RuntimeError):
            await executor.play(spec("ring"), Priority.TEST)

    asyncio.run(go())


# The slots themselves


class Visitors:
    """Tasks that want a slot, hold it until told to leave, and may be cancelled at any moment."""

    def __init__(self, slots: int) -> None:
        self.most = slots
        self.slots = PrioritySlots(slots)
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


@settings(deadline=None)
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


@settings(deadline=None)
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

from __future__ import annotations

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, ClassVar

import pytest

from ictbench.actors import Actor, History
from ictbench.envs import TextEnv
from ictbench.errors import EnvError, ModelFailure, ModelUnavailableError, PluginError
from ictbench.models import ModelPool
from ictbench.records import Decision, EpisodeSpec, ModelSpec, Observation, PluginSpec, Task
from ictbench.rollout import EpisodeWorker
from ictbench.testing import ScriptedServer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


class Room(TextEnv):
    """Left by its door; its window breaks it. Instances fit tasks of one colour."""

    made: ClassVar[list[Room]] = []

    def __init__(self) -> None:
        self.threads = {threading.get_ident()}
        self.resets = 0
        self.closed = False
        self.made.append(self)

    @classmethod
    def pool_key(cls, task: Task) -> str:
        return str(task.params["colour"])

    def reset(self, task: Task) -> Observation:
        assert not self.closed
        self.threads.add(threading.get_ident())
        self.resets += 1
        return Observation(text="A room.", actions=("door", "window"))

    def step(self, action: str) -> Observation:
        self.threads.add(threading.get_ident())
        if action == "window":
            raise EnvError("the room broke")
        return Observation(text="Outside.", actions=("door",), reward=1.0, end="solved")

    def close(self) -> None:
        self.threads.add(threading.get_ident())
        self.closed = True

    def versions(self) -> dict[str, str]:
        return {"room": "1"}


class Obedient(Actor):
    """Proposes the prompt, after whatever a test wants it to wait for."""

    wait: ClassVar[Callable[[], Awaitable[object]] | None] = None

    threads: ClassVar[set[int]] = set()

    async def act(self, prompt: str, history: History, seed: int) -> Decision:
        self.threads.add(threading.get_ident())
        if Obedient.wait:
            await Obedient.wait()
        if prompt == "refuse":
            raise ModelFailure("refused")
        if prompt == "unplug":
            raise ModelUnavailableError("no answer")
        return Decision(action=prompt)


class Computing(Obedient):
    """The same, and says that it waits for nothing."""

    cpu_bound = True


@pytest.fixture(autouse=True)
def rooms(monkeypatch: pytest.MonkeyPatch) -> list[Room]:
    made: list[Room] = []
    monkeypatch.setattr(Room, "made", made)
    monkeypatch.setattr(Obedient, "wait", None)
    monkeypatch.setattr(Obedient, "threads", set())
    return made


def spec(
    prompt: str = "door", colour: str = "red", model: ModelSpec | None = None, actor: type[Actor] = Obedient
) -> EpisodeSpec:
    return EpisodeSpec(
        task=Task(id="room-1", family="room", env=f"{__name__}:Room", params={"colour": colour}),
        prompt=prompt,
        actor=PluginSpec(label="me", name="react" if model else f"{__name__}:{actor.__name__}", model=model),
        max_steps=3,
        seed=1,
    )


def test_a_warm_environment_is_used_again_where_it_fits(rooms: list[Room]) -> None:
    async def go() -> None:
        worker = EpisodeWorker()
        for colour in ("red", "red", "blue", "red", "blue"):
            assert (await worker.play(spec(colour=colour))).trajectory.solved
        assert [room.resets for room in rooms] == [3, 2]
        assert not any(room.closed for room in rooms)
        await worker.aclose()
        assert all(room.closed for room in rooms)

    asyncio.run(go())


def test_episodes_in_flight_have_an_environment_each_and_one_thread_that_is_not_the_event_loops(
    rooms: list[Room], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def go() -> None:
        monkeypatch.setattr(Obedient, "wait", asyncio.Barrier(3).wait)
        worker = EpisodeWorker()
        async with asyncio.timeout(30):
            episodes = await asyncio.gather(*(worker.play(spec()) for _ in range(3)))
        assert all(episode.trajectory.solved for episode in episodes)
        assert [room.resets for room in rooms] == [1, 1, 1]
        monkeypatch.setattr(Obedient, "wait", None)
        await worker.play(spec())
        assert len(rooms) == 3
        await worker.aclose()
        threads = set().union(*(room.threads for room in rooms))
        assert len(threads) == 1
        assert threading.get_ident() not in threads

    asyncio.run(go())


@pytest.mark.parametrize(("prompt", "error"), [("window", EnvError), ("unplug", ModelUnavailableError)])
def test_an_environment_whose_episode_broke_off_is_closed_not_kept(
    rooms: list[Room], prompt: str, error: type[Exception]
) -> None:
    async def go() -> None:
        worker = EpisodeWorker()
        with pytest.raises(error):
            await worker.play(spec(prompt))
        assert [room.closed for room in rooms] == [True]
        assert (await worker.play(spec())).trajectory.solved
        assert [room.closed for room in rooms] == [True, False]
        await worker.aclose()

    asyncio.run(go())


def test_a_cancelled_episode_closes_its_environment(rooms: list[Room], monkeypatch: pytest.MonkeyPatch) -> None:
    async def go() -> None:
        begun = asyncio.Event()

        async def wait() -> None:
            begun.set()
            await asyncio.Event().wait()

        monkeypatch.setattr(Obedient, "wait", wait)
        worker = EpisodeWorker()
        playing = asyncio.create_task(worker.play(spec()))
        await begun.wait()
        playing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await playing
        await worker.aclose()
        assert [room.closed for room in rooms] == [True]

    asyncio.run(go())


def test_a_failure_of_the_model_does_not_cost_the_environment(rooms: list[Room]) -> None:
    async def go() -> None:
        worker = EpisodeWorker()
        assert (await worker.play(spec("refuse"))).trajectory.failure == "refused"
        await worker.play(spec())
        assert [(room.resets, room.closed) for room in rooms] == [(2, False)]
        await worker.aclose()

    asyncio.run(go())


def test_a_model_is_opened_once_and_belongs_to_the_pool() -> None:
    with ScriptedServer(["Action: door"]) as server:
        told = ModelSpec(provider="openai", model="scripted", base_url=server.url)

        async def go() -> None:
            pool = ModelPool()
            worker = EpisodeWorker(pool)
            assert (await worker.play(spec(model=told))).trajectory.solved
            assert pool.open(told) is pool.open(told.model_copy())
            assert pool.open(told) is not pool.open(told.model_copy(update={"model": "other"}))
            await worker.aclose()
            assert (await pool.open(told).complete([{"role": "user", "content": "still open?"}])).text == "Action: door"
            await pool.aclose()

        asyncio.run(go())


def test_a_cpu_bound_actor_plays_whole_episodes_in_the_environments_thread(rooms: list[Room]) -> None:
    async def go() -> None:
        worker = EpisodeWorker()
        waits = await worker.play(spec())
        assert Obedient.threads == {threading.get_ident()}
        Obedient.threads.clear()
        computes = await worker.play(spec(actor=Computing))
        assert len(Obedient.threads) == 1
        assert Obedient.threads == rooms[0].threads
        assert threading.get_ident() not in Obedient.threads
        assert computes == waits
        refused = await worker.play(spec("refuse", actor=Computing))
        assert refused.trajectory.failure == "refused"
        await worker.aclose()

    asyncio.run(go())


@pytest.mark.parametrize("seconds", [0, 0.01])
def test_one_that_waits_nevertheless_breaks_its_contract(
    rooms: list[Room], monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    async def go() -> None:
        monkeypatch.setattr(Obedient, "wait", lambda: asyncio.sleep(seconds))
        worker = EpisodeWorker()
        with pytest.raises(PluginError, match="actor me says that it only computes, but waits for something"):
            await worker.play(spec(actor=Computing))
        assert [room.closed for room in rooms] == [True]
        # Where it says nothing of the kind, it may.
        assert (await worker.play(spec())).trajectory.solved
        await worker.aclose()

    asyncio.run(go())


def test_a_worker_tells_which_episode_its_environment_is_busy_with(monkeypatch: pytest.MonkeyPatch) -> None:
    async def go() -> None:
        begun, end = threading.Event(), threading.Event()

        def hang(room: Room, action: str) -> Observation:
            begun.set()
            end.wait(30)
            return Observation(text="Outside.", actions=("door",), end="solved")

        monkeypatch.setattr(Room, "step", hang)
        worker = EpisodeWorker()
        assert worker.busy is None
        hanging = spec(colour="blue")
        playing = asyncio.create_task(worker.play(hanging))
        beside = asyncio.create_task(worker.play(spec("window")))
        await asyncio.to_thread(begun.wait, 30)
        await asyncio.sleep(0.02)
        assert worker.busy is not None
        assert worker.busy[0] in (hanging.key, spec("window").key)
        assert 0.01 < worker.busy[1] < 30
        end.set()
        await asyncio.gather(playing, beside)
        assert worker.busy is None
        await worker.aclose()

    asyncio.run(go())


class Narrow(Room):
    """A room for one: whoever comes in while somebody is there, notes it."""

    inside = 0
    crowded = False

    def step(self, action: str) -> Observation:
        Narrow.inside += 1
        Narrow.crowded |= Narrow.inside > 1
        time.sleep(0.005)
        Narrow.inside -= 1
        return super().step(action)


def test_workers_of_one_process_are_never_in_two_environments_at_once() -> None:
    spec = EpisodeSpec(
        task=Task(id="room-1", family="room", env=f"{__name__}:Narrow", params={"colour": "red"}),
        prompt="door",
        actor=PluginSpec(label="obedient", name=f"{__name__}:Obedient"),
        max_steps=3,
        seed=1,
    )

    async def play() -> None:
        worker = EpisodeWorker()
        for _ in range(5):
            await worker.play(spec)
        await worker.aclose()

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(asyncio.run, [play() for _ in range(3)]))
    assert not Narrow.crowded

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


class RoomEnv(TextEnv):
    """Solved by the action `door`; `window` breaks it. Instances fit tasks of one colour."""

    made: ClassVar[list[RoomEnv]] = []

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
    """Proposes its prompt, after waiting for `wait` if a test sets it."""

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
    """The same actor, but declared as CPU-bound."""

    cpu_bound = True


@pytest.fixture(autouse=True)
def rooms(monkeypatch: pytest.MonkeyPatch) -> list[RoomEnv]:
    made: list[RoomEnv] = []
    monkeypatch.setattr(RoomEnv, "made", made)
    monkeypatch.setattr(Obedient, "wait", None)
    monkeypatch.setattr(Obedient, "threads", set())
    return made


def spec(
    prompt: str = "door", colour: str = "red", model: ModelSpec | None = None, actor: type[Actor] = Obedient
) -> EpisodeSpec:
    return EpisodeSpec(
        task=Task(id="room-1", family="room", env=f"{__name__}:RoomEnv", params={"colour": colour}),
        prompt=prompt,
        actor=PluginSpec(label="me", name="react" if model else f"{__name__}:{actor.__name__}", model=model),
        max_steps=3,
        seed=1,
    )


def test_environment_is_reused_for_tasks_with_the_same_pool_key(rooms: list[RoomEnv]) -> None:
    async def go() -> None:
        worker = EpisodeWorker()
        for colour in ("red", "red", "blue", "red", "blue"):
            assert (await worker.play(spec(colour=colour))).trajectory.solved
        assert [room.resets for room in rooms] == [3, 2]
        assert not any(room.closed for room in rooms)
        await worker.aclose()
        assert all(room.closed for room in rooms)

    asyncio.run(go())


def test_concurrent_episodes_have_their_own_environments_and_share_one_thread_beside_the_event_loop(
    rooms: list[RoomEnv], monkeypatch: pytest.MonkeyPatch
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
def test_environment_of_a_failed_episode_is_closed(rooms: list[RoomEnv], prompt: str, error: type[Exception]) -> None:
    async def go() -> None:
        worker = EpisodeWorker()
        with pytest.raises(error):
            await worker.play(spec(prompt))
        assert [room.closed for room in rooms] == [True]
        assert (await worker.play(spec())).trajectory.solved
        assert [room.closed for room in rooms] == [True, False]
        await worker.aclose()

    asyncio.run(go())


def test_cancelled_episode_closes_its_environment(rooms: list[RoomEnv], monkeypatch: pytest.MonkeyPatch) -> None:
    async def go() -> None:
        started = asyncio.Event()

        async def wait() -> None:
            started.set()
            await asyncio.Event().wait()

        monkeypatch.setattr(Obedient, "wait", wait)
        worker = EpisodeWorker()
        playing = asyncio.create_task(worker.play(spec()))
        await started.wait()
        playing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await playing
        await worker.aclose()
        assert [room.closed for room in rooms] == [True]

    asyncio.run(go())


def test_environment_created_for_a_cancelled_episode_is_closed(
    rooms: list[RoomEnv], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def go() -> None:
        started, end = threading.Event(), threading.Event()
        create = RoomEnv.__init__

        def create_slowly(room: RoomEnv) -> None:
            started.set()
            end.wait(30)
            create(room)

        monkeypatch.setattr(RoomEnv, "__init__", create_slowly)
        worker = EpisodeWorker()
        playing = asyncio.create_task(worker.play(spec()))
        await asyncio.to_thread(started.wait, 30)
        playing.cancel()
        await asyncio.sleep(0)
        end.set()
        with pytest.raises(asyncio.CancelledError):
            await playing
        assert [room.closed for room in rooms] == [True]
        await worker.aclose()

    asyncio.run(go())


def test_model_failure_keeps_the_environment_open(rooms: list[RoomEnv]) -> None:
    async def go() -> None:
        worker = EpisodeWorker()
        assert (await worker.play(spec("refuse"))).trajectory.failure == "refused"
        await worker.play(spec())
        assert [(room.resets, room.closed) for room in rooms] == [(2, False)]
        await worker.aclose()

    asyncio.run(go())


def test_model_is_opened_once_and_stays_open_when_the_worker_closes() -> None:
    with ScriptedServer(["Action: door"]) as server:
        model = ModelSpec(provider="openai", model="scripted", base_url=server.url)

        async def go() -> None:
            pool = ModelPool()
            worker = EpisodeWorker(pool)
            assert (await worker.play(spec(model=model))).trajectory.solved
            assert pool.open(model) is pool.open(model.model_copy())
            assert pool.open(model) is not pool.open(model.model_copy(update={"model": "other"}))
            await worker.aclose()
            assert (
                await pool.open(model).complete([{"role": "user", "content": "still open?"}])
            ).text == "Action: door"
            await pool.aclose()

        asyncio.run(go())


def test_cpu_bound_actor_plays_whole_episodes_in_the_environment_thread(rooms: list[RoomEnv]) -> None:
    async def go() -> None:
        worker = EpisodeWorker()
        waiting = await worker.play(spec())
        assert Obedient.threads == {threading.get_ident()}
        Obedient.threads.clear()
        computed = await worker.play(spec(actor=Computing))
        assert len(Obedient.threads) == 1
        assert Obedient.threads == rooms[0].threads
        assert threading.get_ident() not in Obedient.threads
        assert computed == waiting
        refused = await worker.play(spec("refuse", actor=Computing))
        assert refused.trajectory.failure == "refused"
        await worker.aclose()

    asyncio.run(go())


def test_concurrent_episodes_of_a_cpu_bound_actor_share_one_environment(rooms: list[RoomEnv]) -> None:
    async def go() -> None:
        worker = EpisodeWorker()
        episodes = await asyncio.gather(*(worker.play(spec(actor=Computing)) for _ in range(20)))
        assert all(episode.trajectory.solved for episode in episodes)
        assert [room.resets for room in rooms] == [20]
        await worker.aclose()

    asyncio.run(go())


@pytest.mark.parametrize("seconds", [0, 0.01])
def test_cpu_bound_actor_that_waits_is_a_plugin_error(
    rooms: list[RoomEnv], monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    async def go() -> None:
        monkeypatch.setattr(Obedient, "wait", lambda: asyncio.sleep(seconds))
        worker = EpisodeWorker()
        with pytest.raises(PluginError, match="actor me says that it only computes, but waits for something"):
            await worker.play(spec(actor=Computing))
        assert [room.closed for room in rooms] == [True]
        # An actor that is not declared as CPU-bound may wait.
        assert (await worker.play(spec())).trajectory.solved
        await worker.aclose()

    asyncio.run(go())


def test_busy_names_the_episode_whose_environment_call_is_running(monkeypatch: pytest.MonkeyPatch) -> None:
    async def go() -> None:
        started, end = threading.Event(), threading.Event()

        def hang(room: RoomEnv, action: str) -> Observation:
            started.set()
            end.wait(30)
            return Observation(text="Outside.", actions=("door",), end="solved")

        monkeypatch.setattr(RoomEnv, "step", hang)
        worker = EpisodeWorker()
        assert worker.busy is None
        hanging = spec(colour="blue")
        playing = asyncio.create_task(worker.play(hanging))
        other = asyncio.create_task(worker.play(spec("window")))
        await asyncio.to_thread(started.wait, 30)
        await asyncio.sleep(0.02)
        assert worker.busy is not None
        assert worker.busy[0] in (hanging.key, spec("window").key)
        assert 0.01 < worker.busy[1] < 30
        end.set()
        await asyncio.gather(playing, other)
        assert worker.busy is None
        await worker.aclose()

    asyncio.run(go())


class ExclusiveEnv(RoomEnv):
    """Records whether two calls ever run at the same time."""

    running = 0
    overlapped = False

    def step(self, action: str) -> Observation:
        ExclusiveEnv.running += 1
        ExclusiveEnv.overlapped |= ExclusiveEnv.running > 1
        time.sleep(0.005)
        ExclusiveEnv.running -= 1
        return super().step(action)


def test_environment_calls_of_all_workers_of_a_process_never_overlap() -> None:
    spec = EpisodeSpec(
        task=Task(id="room-1", family="room", env=f"{__name__}:ExclusiveEnv", params={"colour": "red"}),
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
    assert not ExclusiveEnv.overlapped

"""Distribution of episodes, with workers that a test controls."""

from __future__ import annotations

import asyncio

import pytest
from faulty_plugins import spec
from watching import until

from ictbench.errors import EnvError, WorkerError
from ictbench.models import ModelPool, UsageMeter
from ictbench.records import Episode, EpisodeSpec, Trajectory, Usage, prompt_digest
from ictbench.rollout.executor import Priority
from ictbench.rollout.remote.framing import Channel
from ictbench.rollout.remote.worker_handle import WorkerHandle
from ictbench.rollout.remote.worker_pool import MAX_STARTS, WorkerPool, WorkerStarter


class ManualStarter(WorkerStarter):
    """Starts workers that are ready at once, or lost at once, and play nothing by themselves."""

    def __init__(self, *, ready: bool = True) -> None:
        self.handles: list[WorkerHandle] = []
        self.closed = False
        self._ready = ready
        self._meter = UsageMeter()

    async def start(self, name: str) -> WorkerHandle:
        handle = WorkerHandle(name, ModelPool(self._meter), self._meter, lambda: "it fell asleep")
        handle.connect(Channel(handle.handle, handle.lose))
        self.handles.append(handle)
        if self._ready:
            handle.handle({"kind": "ready"}, b"")
        else:
            handle.lose()
        return handle

    async def aclose(self) -> None:
        self.closed = True


def solved_episode(spec: EpisodeSpec) -> bytes:
    trajectory = Trajectory(steps=(), last_observation="", last_digest="d", end="solved")
    episode = Episode(
        key=spec.key,
        task=spec.task,
        prompt=prompt_digest(spec.prompt),
        seed=spec.seed,
        replicate=0,
        trajectory=trajectory,
        usage=Usage(),
        versions={},
    )
    return episode.model_dump_json().encode()


def finish(handle: WorkerHandle, *specs: EpisodeSpec) -> None:
    """Let a worker report that it has played these episodes, the first ones it received."""
    for number, played in enumerate(specs):
        handle.handle({"kind": "played", "number": number}, solved_episode(played))


async def close(pool: WorkerPool, starter: ManualStarter) -> None:
    closing = asyncio.create_task(pool.aclose())
    await asyncio.sleep(0)
    for handle in starter.handles:
        handle.lose()
    await closing
    assert starter.closed


def test_least_busy_worker_receives_the_next_episode() -> None:
    async def go() -> None:
        pool = WorkerPool(starter := ManualStarter(), 3, env_timeout=60)
        episodes = [asyncio.create_task(pool.play(spec(f"t-{n}"), Priority.TEST)) for n in range(7)]
        await until(lambda: sum(handle.in_flight for handle in starter.handles) == 7)
        assert sorted(handle.in_flight for handle in starter.handles) == [2, 2, 3]
        for task in episodes:
            task.cancel()
        await asyncio.gather(*episodes, return_exceptions=True)
        assert [handle.in_flight for handle in starter.handles] == [0, 0, 0]
        await close(pool, starter)

    asyncio.run(go())


def test_workers_lost_at_the_same_moment_receive_no_further_episode() -> None:
    async def go() -> None:
        pool = WorkerPool(starter := ManualStarter(), 2, env_timeout=60)
        first, second = (asyncio.create_task(pool.play(spec(name), Priority.TEST)) for name in ("a", "b"))
        await until(lambda: [handle.in_flight for handle in starter.handles] == [1, 1])
        # An episode of the first lost worker looks for another one before the pool knows about the second loss.
        for handle in list(starter.handles):
            handle.lose("it hangs", culprit="neither")
        assert pool.ready == 0
        await until(lambda: pool.ready == 2)
        await until(lambda: [handle.in_flight for handle in starter.handles[2:]] == [1, 1])
        assert pool.lost == 2
        for handle in starter.handles[2:]:
            finish(handle, spec("a"))
        assert [episode.trajectory.solved for episode in await asyncio.gather(first, second)] == [True, True]
        await close(pool, starter)

    asyncio.run(go())


def test_known_culprit_alone_is_blamed_and_has_the_last_worker_to_itself() -> None:
    async def go() -> None:
        pool = WorkerPool(starter := ManualStarter(), 1, env_timeout=60)
        culprit, innocent = spec("culprit"), spec("innocent")
        innocent_task, culprit_task = (
            asyncio.create_task(pool.play(spec, Priority.TEST)) for spec in (innocent, culprit)
        )
        for _ in range(2):
            await until(lambda: pool.ready and starter.handles[-1].in_flight == 2)
            starter.handles[-1].lose("it hangs", culprit=culprit.key)
        await until(lambda: pool.ready)
        last = starter.handles[-1]
        # The culprit waits until the innocent episode is finished, and meanwhile no other episode starts.
        await until(lambda: last.in_flight == 1)
        another = asyncio.create_task(pool.play(innocent, Priority.TEST))
        await asyncio.sleep(0.01)
        assert last.in_flight == 1
        finish(last, innocent)
        assert (await innocent_task).trajectory.solved
        await until(lambda: last.in_flight == 1)
        last.lose("it hangs", culprit=culprit.key)
        with pytest.raises(EnvError, match="it was played 3 times, and each time its worker died: worker 0 is gone"):
            await culprit_task
        await until(lambda: starter.handles[-1] is not last and starter.handles[-1].in_flight == 1)
        finish(starter.handles[-1], innocent)
        assert (await another).trajectory.solved
        await close(pool, starter)

    asyncio.run(go())


def test_workers_that_die_before_they_are_ready_are_restarted_a_limited_number_of_times(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("ictbench.rollout.remote.worker_pool.RESTART_SECONDS", 0.001)

    async def go() -> None:
        pool = WorkerPool(starter := ManualStarter(ready=False), 2, env_timeout=60)
        for _ in range(2):
            with pytest.raises(WorkerError, match="no worker can be started: it fell asleep"):
                await pool.play(spec("a"), Priority.TEST)
        assert len(starter.handles) == 2 * MAX_STARTS
        await close(pool, starter)

    asyncio.run(go())

"""Handing out episodes, with workers that do what a test tells them."""

from __future__ import annotations

import asyncio

import pytest
from unruly import spec
from watching import until

from ictbench.errors import EnvError, WorkerError
from ictbench.models import ModelPool, UsageMeter
from ictbench.records import Episode, EpisodeSpec, Trajectory, Usage, prompt_digest
from ictbench.rollout.executor import Priority
from ictbench.rollout.remote.framing import Channel
from ictbench.rollout.remote.worker_handle import WorkerHandle
from ictbench.rollout.remote.worker_pool import STARTS, Starter, WorkerPool


class Told(Starter):
    """Starts workers that are ready at once and then play nothing by themselves."""

    def __init__(self, *, ready: bool = True) -> None:
        self.links: list[WorkerHandle] = []
        self.closed = False
        self._ready = ready
        self._meter = UsageMeter()

    async def start(self, name: str) -> WorkerHandle:
        link = WorkerHandle(name, ModelPool(self._meter), self._meter, lambda: "it fell asleep")
        link.connect(Channel(link.received, link.lose))
        self.links.append(link)
        if self._ready:
            link.received({"kind": "ready"}, b"")
        else:
            link.lose()
        return link

    async def aclose(self) -> None:
        self.closed = True


def played(one: EpisodeSpec) -> bytes:
    trajectory = Trajectory(steps=(), last_observation="", last_digest="d", end="solved")
    episode = Episode(
        key=one.key,
        task=one.task,
        prompt=prompt_digest(one.prompt),
        seed=one.seed,
        replicate=0,
        trajectory=trajectory,
        usage=Usage(),
        versions={},
    )
    return episode.model_dump_json().encode()


def answer(link: WorkerHandle, *specs: EpisodeSpec) -> None:
    """Have a worker tell that it has played its episodes, in the order in which they came."""
    for number, one in enumerate(specs):
        link.received({"kind": "played", "number": number}, played(one))


async def finished(fleet: WorkerPool, starter: Told) -> None:
    closing = asyncio.create_task(fleet.aclose())
    await asyncio.sleep(0)
    for link in starter.links:
        link.lose()
    await closing
    assert starter.closed


def test_the_worker_with_the_fewest_episodes_gets_the_next() -> None:
    async def go() -> None:
        fleet = WorkerPool(starter := Told(), 3, patience=60)
        episodes = [asyncio.create_task(fleet.play(spec(f"t-{n}"), Priority.TEST)) for n in range(7)]
        await until(lambda: sum(link.in_flight for link in starter.links) == 7)
        assert sorted(link.in_flight for link in starter.links) == [2, 2, 3]
        for task in episodes:
            task.cancel()
        await asyncio.gather(*episodes, return_exceptions=True)
        assert [link.in_flight for link in starter.links] == [0, 0, 0]
        await finished(fleet, starter)

    asyncio.run(go())


def test_workers_that_die_in_the_same_moment_are_not_asked_again() -> None:
    async def go() -> None:
        fleet = WorkerPool(starter := Told(), 2, patience=60)
        one, other = (asyncio.create_task(fleet.play(spec(name), Priority.TEST)) for name in ("a", "b"))
        await until(lambda: [link.in_flight for link in starter.links] == [1, 1])
        # Whoever is told of the first death looks for a worker before the second is known to all.
        for link in list(starter.links):
            link.lose("it hangs", culprit="neither")
        assert fleet.ready == 0
        await until(lambda: fleet.ready == 2)
        await until(lambda: [link.in_flight for link in starter.links[2:]] == [1, 1])
        assert fleet.lost == 2
        for link in starter.links[2:]:
            answer(link, spec("a"))
        assert [episode.trajectory.solved for episode in await asyncio.gather(one, other)] == [True, True]
        await finished(fleet, starter)

    asyncio.run(go())


def test_only_the_culprit_is_blamed_where_it_is_known_and_has_the_last_worker_to_itself() -> None:
    async def go() -> None:
        fleet = WorkerPool(starter := Told(), 1, patience=60)
        culprit, innocent = spec("culprit"), spec("innocent")
        patient, guilty = (asyncio.create_task(fleet.play(one, Priority.TEST)) for one in (innocent, culprit))
        for _ in range(2):
            await until(lambda: fleet.ready and starter.links[-1].in_flight == 2)
            starter.links[-1].lose("it hangs", culprit=culprit.key)
        await until(lambda: fleet.ready)
        last = starter.links[-1]
        # The innocent one is there first: the other waits until it is done, and meanwhile nobody else begins.
        await until(lambda: last.in_flight == 1)
        another = asyncio.create_task(fleet.play(innocent, Priority.TEST))
        await asyncio.sleep(0.01)
        assert last.in_flight == 1
        answer(last, innocent)
        assert (await patient).trajectory.solved
        await until(lambda: last.in_flight == 1)
        last.lose("it hangs", culprit=culprit.key)
        with pytest.raises(EnvError, match="it was played 3 times, and each time its worker died: worker 0 is gone"):
            await guilty
        await until(lambda: starter.links[-1] is not last and starter.links[-1].in_flight == 1)
        answer(starter.links[-1], innocent)
        assert (await another).trajectory.solved
        await finished(fleet, starter)

    asyncio.run(go())


def test_workers_that_die_before_they_are_ready_are_started_so_often_and_no_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("ictbench.rollout.remote.worker_pool.RESTART_SECONDS", 0.001)

    async def go() -> None:
        fleet = WorkerPool(starter := Told(ready=False), 2, patience=60)
        for _ in range(2):
            with pytest.raises(WorkerError, match="no worker can be started: it fell asleep"):
                await fleet.play(spec("a"), Priority.TEST)
        assert len(starter.links) == 2 * STARTS
        await finished(fleet, starter)

    asyncio.run(go())

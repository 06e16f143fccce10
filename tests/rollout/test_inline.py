from __future__ import annotations

import asyncio
from typing import ClassVar

import pytest

from ictbench.actors import Actor, History
from ictbench.envs import TextEnv
from ictbench.errors import EnvError
from ictbench.records import Decision, Episode, EpisodeSpec, Observation, PluginSpec, Task
from ictbench.rollout import EpisodeWorker, InlineExecutor, Priority


class BellEnv(TextEnv):
    """Solved by the action `ring`; `crack` breaks it."""

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
    """Acts when the gate of its prompt, if it has one, is open."""

    gates: ClassVar[dict[str, asyncio.Event]] = {}

    async def act(self, prompt: str, history: History, seed: int) -> Decision:
        await asyncio.sleep(0.001)
        if prompt in self.gates:
            await self.gates[prompt].wait()
        return Decision(action="crack" if prompt == "crack" else "ring")


@pytest.fixture(autouse=True)
def _no_gates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Ringer, "gates", {})


def spec(prompt: str) -> EpisodeSpec:
    return EpisodeSpec(
        task=Task(id="bell-1", family="bell", env=f"{__name__}:BellEnv", params={}),
        prompt=prompt,
        actor=PluginSpec(label="me", name=f"{__name__}:Ringer"),
        max_steps=3,
        seed=1,
    )


def test_episodes_do_not_wait_for_a_slow_one(monkeypatch: pytest.MonkeyPatch) -> None:
    async def go() -> None:
        gate = asyncio.Event()
        monkeypatch.setitem(Ringer.gates, "slow", gate)
        executor = InlineExecutor()
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


def test_failed_episode_does_not_affect_others() -> None:
    async def go() -> list[Episode | BaseException]:
        executor = InlineExecutor()
        prompts = ["crack", "ring", "crack", "ring again"]
        played = (executor.play(spec(prompt), Priority.TEST) for prompt in prompts)
        episodes = await asyncio.gather(*played, return_exceptions=True)
        await executor.aclose()
        return episodes

    assert [type(episode) for episode in asyncio.run(go())] == [EnvError, Episode, EnvError, Episode]


def test_executor_uses_and_closes_the_given_worker() -> None:
    async def go() -> None:
        worker = EpisodeWorker()
        executor = InlineExecutor(worker)
        assert executor.worker is worker
        await executor.aclose()
        with pytest.raises(RuntimeError):
            await executor.play(spec("ring"), Priority.TEST)

    asyncio.run(go())

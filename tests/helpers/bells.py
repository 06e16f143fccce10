"""A world and players of a test's own, small enough to be seen through."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import yaml

from ictbench import list_suites
from ictbench.actors import Actor, History
from ictbench.envs import TextEnv
from ictbench.records import Decision, Observation, Task

if TYPE_CHECKING:
    from pathlib import Path


class Bell(TextEnv):
    """Rung once, it is solved; struck, it breaks."""

    def reset(self, task: Task) -> Observation:
        return Observation(text="A bell. 鐘", actions=("ring", "crack", "wait"))

    def step(self, action: str) -> Observation:
        if action == "crack":
            raise OSError("the bell broke")
        return Observation(text="Ding.", actions=("ring",), end="solved" if action == "ring" else None)

    def close(self) -> None: ...

    def versions(self) -> dict[str, str]:
        return {}


class Obedient(Actor):
    """Does what its prompt says, at most `busiest` of them at a time so far."""

    busy = busiest = 0

    async def act(self, prompt: str, history: History, seed: int) -> Decision:
        own = type(self)
        own.busy += 1
        own.busiest = max(own.busiest, own.busy)
        try:
            await asyncio.sleep(3600 if prompt == "sleep" else 0.01)
        finally:
            own.busy -= 1
        return Decision(action=prompt)


def suite_of(env: str, folder: Path) -> str:
    """A suite file with the family `bell`, in another environment."""
    content: dict[str, Any] = yaml.safe_load(list_suites()["minihack-v1"].read_text(encoding="utf-8"))
    content |= {"name": "bells-v1", "env": env, "families": {"bell": {"role": "meta-train"}}}
    path = folder / "bells-v1.yaml"
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return str(path)

"""A tiny environment, an actor for it, and a suite, for tests of players."""

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


class BellEnv(TextEnv):
    """Action `ring` solves the task, `crack` raises an error."""

    def reset(self, task: Task) -> Observation:
        return Observation(text="A bell. 鐘", actions=("ring", "crack", "wait"))

    def step(self, action: str) -> Observation:
        if action == "crack":
            raise OSError("the bell broke")
        return Observation(text="Ding.", actions=("ring",), end="solved" if action == "ring" else None)

    def close(self) -> None: ...

    def versions(self) -> dict[str, str]:
        return {}


class ObedientActor(Actor):
    """Takes its prompt for the action; with the prompt `sleep` it never answers."""

    active = max_active = 0
    """Calls in progress now, and at most so far."""

    async def act(self, prompt: str, history: History, seed: int) -> Decision:
        cls = type(self)
        cls.active += 1
        cls.max_active = max(cls.max_active, cls.active)
        try:
            await asyncio.sleep(3600 if prompt == "sleep" else 0.01)
        finally:
            cls.active -= 1
        return Decision(action=prompt)


def write_bell_suite(folder: Path) -> str:
    """Write a suite with the one family `bell` and return its path."""
    content: dict[str, Any] = yaml.safe_load(list_suites()["minihack-v1"].read_text(encoding="utf-8"))
    content |= {"name": "bells-v1", "env": "bell_env:BellEnv", "families": {"bell": {"role": "meta-train"}}}
    path = folder / "bells-v1.yaml"
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return str(path)

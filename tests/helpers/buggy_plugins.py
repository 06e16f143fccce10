"""Plug-ins with bugs as their authors make them, which runs and their workers import."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml
from flawed_envs import Cellar

import ictbench
from ictbench import Actor, Decision, Observation, Reflection, Reflector

if TYPE_CHECKING:
    from pathlib import Path


class BadReset(Cellar):
    def reset(self, task: Any) -> Observation:
        return self.look(str(task.params["colour"]))


class BadStep(Cellar):
    def step(self, action: str) -> Observation:
        return Observation(text=None, actions=("wait",))


class WrongPath(Cellar):
    def reset(self, task: Any) -> Observation:
        return self.look(open("/nowhere/map.txt").read())


class NoActions(Cellar):
    def reset(self, task: Any) -> Observation:
        return Observation(text="A wall.", actions=())


class NoText(Cellar):
    def reset(self, task: Any) -> Observation:
        return Observation(text="", actions=("wait",))


class NothingReturned(Cellar):
    def step(self, action: str) -> Any: ...


class BadConstructor(Cellar):
    def __init__(self) -> None:
        raise ValueError("no cellar")


class BadVersions(Cellar):
    def versions(self) -> Any:
        return {"cellar": 1}


class Disconnected(Cellar):
    def reset(self, task: Any) -> Observation:
        raise ConnectionResetError("the game server hung up")


class BadActor(Actor):
    async def act(self, prompt: str, history: Any, seed: int) -> Decision:
        return Decision(action=history.actions[7])


class ComputingActor(BadActor):
    cpu_bound = True


class SyncActor(Actor):
    def act(self, prompt: str, history: Any, seed: int) -> Decision:  # type: ignore[override]
        return Decision(action=history.actions[0])


class BadReflector(Reflector):
    async def reflect(self, prompt: str, trajectories: Any, state: Any, context: Any) -> Reflection:
        return Reflection(prompt=prompt.nonsense)  # type: ignore[attr-defined]


class SyncReflector(Reflector):
    def reflect(self, prompt: str, trajectories: Any, state: Any, context: Any) -> Reflection:  # type: ignore[override]
        return Reflection(prompt=prompt)


class Streaming(Reflector):
    async def reflect(self, prompt: str, trajectories: Any, state: Any, context: Any) -> Any:
        yield Reflection(prompt=prompt)


class AsyncStep(Cellar):
    async def step(self, action: str) -> Observation:  # type: ignore[override]
        return Observation(text="A wall.", actions=("north",))


class BadModel:
    def complete(self, messages: Any) -> str:
        return str(messages[99])


def suite(folder: Path, env: str) -> str:
    """Write a suite of an environment of `env`, `module:Class`, and return its path."""
    content = yaml.safe_load(ictbench.list_suites()["minihack-v1"].read_text(encoding="utf-8"))
    content |= {"name": "cellars-v1", "env": env, "families": {"doors": {"role": "held-out", "params": {}}}}
    content["limits"]["max_steps"] = 3
    path = folder / "cellars-v1.yaml"
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return str(path)

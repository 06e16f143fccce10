"""Plug-ins that worker processes import: a trail to walk, on which anything may happen, and who walks it.

Found by workers where this folder is on the module path.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from ictbench.actors import Actor, History
from ictbench.envs import TextEnv
from ictbench.errors import EnvError
from ictbench.records import Decision, EpisodeSpec, Observation, PluginSpec, Task

STEPS = 3
FOR_EVER = 3600


class Trail(TextEnv):
    """Solved after three steps, if nothing happens on the second; a task's parameters say what does, and how often."""

    def reset(self, task: Task) -> Observation:
        self._params, self._at = task.params, 0
        return self._look()

    def step(self, action: str) -> Observation:
        if action == "go":
            self._at += 1
            if self._at == 2 and self._due():
                happen(str(self._params["happens"]), self._params.get("seconds", FOR_EVER))
        return self._look()

    def close(self) -> None: ...

    def versions(self) -> dict[str, str]:
        return {"trail": "1.0"}

    def _look(self) -> Observation:
        end = "solved" if self._at == STEPS else None
        return Observation.model_validate({"text": f"Milestone {self._at}.", "actions": ["go", "wait"], "end": end})

    def _due(self) -> bool:
        """Whether it happens; where it happens once, that is noted in a file."""
        once = self._params.get("once")
        if once is None:
            return "happens" in self._params
        try:
            Path(str(once)).touch(exist_ok=False)
        except FileExistsError:
            return False
        return True


def happen(what: str, seconds: Any) -> None:
    match what:
        case "exit":
            print("the trail is washed away", flush=True)
            os._exit(7)
        case "segfault":
            os.kill(os.getpid(), signal.SIGSEGV)
        case "sys.exit":
            sys.exit("that is enough")
        case "sleep":
            time.sleep(seconds)
        case "sleep, and no other thread runs":
            ctypes.PyDLL(None).sleep(int(seconds))
        case "EnvError":
            raise EnvError("a bear")
        case "bug":
            raise ZeroDivisionError("a bug")


class Walker(Actor):
    """Goes on."""

    async def act(self, prompt: str, history: History, seed: int) -> Decision:
        await asyncio.sleep(0)
        return Decision(action="go")


class Clockwork(Actor):
    """The same, and only computes."""

    cpu_bound = True

    async def act(self, prompt: str, history: History, seed: int) -> Decision:
        return Decision(action="go")


class Lost(Actor):
    """Meets a bug of its own."""

    async def act(self, prompt: str, history: History, seed: int) -> Decision:
        raise KeyError("the map")


class Echo:
    """A model of one's own: goes on, and notes which process it lives in."""

    def __init__(self, spec: Any) -> None:
        with Path(spec.options["note"]).open("a", encoding="utf-8") as note:
            note.write(f"{os.getpid()}\n")

    def complete(self, messages: list[Any]) -> str:
        return "Thought: onwards.\nAction: go"


def spec(name: str, actor: str | PluginSpec = "Walker", **params: Any) -> EpisodeSpec:
    """An episode on the trail."""
    return EpisodeSpec(
        task=Task(id=name, family="trail", env=f"{__name__}:Trail", params=params),
        prompt="Walk.",
        actor=actor if isinstance(actor, PluginSpec) else PluginSpec(label=actor, name=f"{__name__}:{actor}"),
        max_steps=5,
        seed=1,
    )

"""Plug-ins with injected faults, which worker processes import: an environment, its actors, and a model.

Workers find them if this folder is on the module path.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from ictbench.actors import Actor, History
from ictbench.envs import TextEnv
from ictbench.errors import EnvError
from ictbench.records import Decision, EpisodeSpec, Observation, PluginSpec, Task

STEPS = 3
ENDLESS_SECONDS = 3600


class TrailEnv(TextEnv):
    """Solved after three steps. The parameters of a task name the fault on the second step, and whether it repeats."""

    def reset(self, task: Task) -> Observation:
        self._params, self._position = task.params, 0
        return self._observe()

    def step(self, action: str) -> Observation:
        if action == "go":
            self._position += 1
            if self._position == 2 and self._fault_is_due():
                inject(str(self._params["fault"]), self._params.get("seconds", ENDLESS_SECONDS))
        return self._observe()

    def close(self) -> None: ...

    def versions(self) -> dict[str, str]:
        return {"trail": "1.0"}

    def _observe(self) -> Observation:
        end = "solved" if self._position == STEPS else None
        return Observation.model_validate(
            {"text": f"Milestone {self._position}.", "actions": ["go", "wait"], "end": end}
        )

    def _fault_is_due(self) -> bool:
        """Return whether the fault happens now; with the parameter `once`, a file remembers that it happened."""
        once = self._params.get("once")
        if once is None:
            return "fault" in self._params
        try:
            Path(str(once)).touch(exist_ok=False)
        except FileExistsError:
            return False
        return True


def inject(fault: str, seconds: Any) -> None:
    match fault:
        case "exit":
            print("the trail is washed away", flush=True)
            os._exit(7)
        case "exit with a child":
            subprocess.Popen(["sleep", str(ENDLESS_SECONDS)])
            os._exit(7)
        case "segfault":
            os.kill(os.getpid(), signal.SIGSEGV)
        case "sys.exit":
            sys.exit("that is enough")
        case "sleep":
            time.sleep(seconds)
        case "sleep without releasing the GIL":
            ctypes.PyDLL(None).sleep(int(seconds))
        case "EnvError":
            raise EnvError("a bear")
        case "bug":
            raise ZeroDivisionError("a bug")


class Walker(Actor):
    """Walks on, and waits for the event loop at every decision."""

    async def act(self, prompt: str, history: History, seed: int) -> Decision:
        await asyncio.sleep(0)
        return Decision(action="go")


class ComputedWalker(Actor):
    """Walks on without ever waiting."""

    cpu_bound = True

    async def act(self, prompt: str, history: History, seed: int) -> Decision:
        return Decision(action="go")


class BuggyWalker(Actor):
    """Raises an exception of its own."""

    async def act(self, prompt: str, history: History, seed: int) -> Decision:
        raise KeyError("the map")


class EchoModel:
    """A user's own model that always walks on, and notes the id of the process in which it was created."""

    def __init__(self, spec: Any) -> None:
        with Path(spec.options["note"]).open("a", encoding="utf-8") as note:
            note.write(f"{os.getpid()}\n")

    def complete(self, messages: list[Any]) -> str:
        return "Thought: onwards.\nAction: go"


def spec(name: str, actor: str | PluginSpec = "Walker", **params: Any) -> EpisodeSpec:
    """Return an episode on the trail, with these parameters of the task."""
    return EpisodeSpec(
        task=Task(id=name, family="trail", env=f"{__name__}:TrailEnv", params=params),
        prompt="Walk.",
        actor=actor if isinstance(actor, PluginSpec) else PluginSpec(label=actor, name=f"{__name__}:{actor}"),
        max_steps=5,
        seed=1,
    )

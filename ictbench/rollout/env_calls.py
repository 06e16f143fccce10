"""Calls of an environment during one episode; what it returns is checked."""

from __future__ import annotations

import inspect
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from ictbench.errors import PluginError
from ictbench.records import Observation, text_digest
from ictbench.rollout.env_errors import env_errors

if TYPE_CHECKING:
    from collections.abc import Callable

    from ictbench.envs import TextEnv
    from ictbench.records import Task

T = TypeVar("T")


class BlockingCaller(Protocol):
    """Runs a blocking call, usually in a thread, off the event loop."""

    async def __call__(self, function: Callable[..., T], *args: Any) -> T:
        """Return `function(*args)`."""
        ...


@dataclass(frozen=True, slots=True)
class EnvCalls:
    """Environment of an episode. Each method raises an `EnvError` or a `PluginError` if the environment fails."""

    env: TextEnv
    task: Task
    call: BlockingCaller

    async def reset(self) -> Observation:
        """Start the task and return the first observation."""
        with env_errors(type(self.env), "reset", self.task):
            observation = await self.call(self.env.reset, self.task)
        self._check("reset", observation)
        if not observation.text.strip() and observation.end is None:
            raise self._violation("reset", "the first observation has no text; say what an agent sees")
        return observation

    async def step(self, action: str) -> Observation:
        """Execute an available action and return the next observation."""
        with env_errors(type(self.env), "step", self.task):
            observation = await self.call(self.env.step, action)
        self._check("step", observation)
        return observation

    async def solve(self) -> tuple[str, ...]:
        """Return actions that solve the task."""
        with env_errors(type(self.env), "solve", self.task):
            return tuple(await self.call(self.env.solve))

    def start_digest(self, first: Observation) -> str:
        """Return the digest of what distinguishes the start; empty if it is the whole first observation."""
        with env_errors(type(self.env), "start_key", self.task):
            key = self.env.start_key(first)
            return "" if key is None else text_digest(key)

    def _check(self, method: str, observation: object) -> None:
        if inspect.iscoroutine(observation):
            observation.close()
            raise self._violation(method, f"it is async: write `def {method}`, an environment has plain methods")
        if not isinstance(observation, Observation):
            raise self._violation(method, f"it returned {observation!r:.80}; return an ictbench.Observation")
        if not observation.actions and observation.end is None:
            raise self._violation(
                method,
                f"no action is available, and the episode has not ended: {observation.text!r:.80}; offer an "
                "action, or set `end`",
            )
        if not math.isfinite(observation.reward):
            raise self._violation(method, f"its reward is {observation.reward}; return a finite number")
        if observation.end == "solved" and observation.progress not in (None, 1):
            raise self._violation(
                method, f"the task is solved, and its progress is {observation.progress:g}; set `progress` to 1"
            )

    def _violation(self, method: str, problem: str) -> PluginError:
        return PluginError(f"environment {self.task.env}, {method} of task {self.task.id}: {problem}")

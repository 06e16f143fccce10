"""Gymnasium environments for tests, registered under the module of this file: `gym:text_gym:ID`."""

from __future__ import annotations

import random
from typing import Any

import gymnasium
import numpy as np
from gymnasium.spaces import Discrete, Text


class Doors(gymnasium.Env[Any, Any]):
    """A door leads out; the environment names the doors and says whether it is won."""

    metadata: dict[str, Any] = {"render_modes": []}  # noqa: RUF012
    observation_space: Any = Text(100)
    action_space: Any = Text(100)

    def __init__(self, doors: int = 3, render_mode: str | None = None) -> None:
        self.doors = [f"door {number}" for number in range(1, doors + 1)]
        self.render_mode = render_mode

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.exit = self.doors[int(self.np_random.integers(len(self.doors)))]
        self.tried = 0
        return self.look("You are in a hall with many doors."), {"commands": self.doors}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        won = action == self.exit
        self.tried += 1
        words = "Daylight." if won else f"A wall. You heard a {self.np_random.choice(['hoot', 'bark'])}."
        return self.look(words), float(won), won, self.tried == 20, {"commands": self.doors, "won": won}

    def look(self, words: str) -> Any:
        return words


class Lists(Doors):
    """Observations are dictionaries."""

    def look(self, words: str) -> Any:
        return {"words": words, "hint": "none", "numbers": [1, 2]}


class Numbers(Doors):
    """Observations and actions are numbers."""

    action_space = Discrete(3, start=1)

    def look(self, words: str) -> Any:
        return len(words)

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        return super().step(f"door {action}")


class Closing(Doors):
    """Names the doors until the episode ends, and shows a mask and a score beside them."""

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        seen, info = super().reset(seed=seed, options=options)
        return seen, self.told(info)

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        seen, reward, terminated, truncated, info = super().step(action)
        if terminated:
            info = {"won": np.bool_(info["won"])}
        return seen, reward, terminated, truncated, self.told(info)

    def told(self, info: dict[str, Any]) -> dict[str, Any]:
        return {**info, "mask": np.array([1, 1, 0], dtype=np.int8), "score": 0.5, "verdict": "lost"}


class Dice(Doors):
    """Not deterministic."""

    def look(self, words: str) -> Any:
        return f"{words} {random.random()}"


class Wordy(gymnasium.ObservationWrapper[Any, Any, Any]):
    """Wrapper that makes a text."""

    def observation(self, observation: Any) -> str:
        return f"It has {observation} letters."


ENVS: tuple[Any, ...] = (Doors, Lists, Numbers, Closing, Dice)
for env in ENVS:
    gymnasium.register(f"{env.__name__}-v0", env)
gymnasium.register("Absent-v0", "text_gym_absent:Absent")

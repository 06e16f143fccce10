"""OpenEnv server of a small world, on the `openenv-core` package: `python hall_server.py PORT`."""

from __future__ import annotations

import random
import sys
from typing import Any

import uvicorn
from openenv.core import Action, Environment, Observation, State, create_fastapi_app
from openenv.core.env_server.types import EnvironmentMetadata

DOORS = ["a", "b", "c"]


class Move(Action):  # type: ignore[misc]
    door: str


class Seen(Observation):  # type: ignore[misc]
    words: str
    doors: list[str] = DOORS
    won: bool = False


class Hall(Environment):  # type: ignore[misc]
    """One of three doors leads out."""

    SUPPORTS_CONCURRENT_SESSIONS = True

    def reset(self, seed: int | None = None, episode_id: str | None = None, **_: Any) -> Seen:
        self.dice = random.Random(seed)
        self.exit = self.dice.choice(DOORS)
        return Seen(words="A hall.")

    def step(self, action: Move, timeout_s: float | None = None, **_: Any) -> Seen:
        won = action.door == self.exit
        words = "Daylight." if won else f"A wall {self.dice.randrange(99)}."
        return Seen(words=words, won=won, reward=float(won), done=won)

    @property
    def state(self) -> State:
        return State()

    def get_metadata(self) -> EnvironmentMetadata:
        return EnvironmentMetadata(name="hall", description="A hall", version="1.2")


if __name__ == "__main__":
    app = create_fastapi_app(Hall, Move, Seen, max_concurrent_envs=8)
    uvicorn.run(app, port=int(sys.argv[1]), log_level="warning")

"""Example of a custom environment: TextWorld's cooking games. Prepare the meal of the cookbook and eat it.

The `textworld` package (pip install 'ictbench[alfworld]') generates a game from a seed in seconds and keeps it.

    export PYTHONPATH=examples
    ictbench run --suite examples/textworld_cooking.yaml --reflector rules --out runs/cooking
    ictbench run --suite examples/textworld_cooking.yaml --actor solver --reflector none    # the ceiling
    ictbench verify runs/cooking --suite examples/textworld_cooking.yaml
"""

from __future__ import annotations

import os
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import textworld
from textworld.challenges.tw_cooking import cooking
from textworld.generator import compile_game

from ictbench import Observation, Task, TextEnv

if TYPE_CHECKING:
    from collections.abc import Sequence

GAMES = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"), "ictbench", f"cooking-{version('textworld')}")
NO_SKILLS = {"recipe": 1, "take": 1, "go": 1, "open": False, "cook": False, "cut": False, "drop": False, "split": None}
SHOWN = textworld.EnvInfos(
    admissible_commands=True, description=True, objective=True, score=True, won=True, lost=True, extras=["walkthrough"]
)
OFFERED = ("eat meal", "examine cookbook", "prepare meal", "take")
"""Prefixes of the commands that a meal of raw food needs."""


class CookingEnv(TextEnv):
    """Tasks have the params of TextWorld's cooking challenge: skills, split of foods, and seed."""

    game: Any = None

    def reset(self, task: Task) -> Observation:
        """Start the game of the task."""
        self.close()
        self.game = textworld.start(str(game_file({**NO_SKILLS, **task.params})), SHOWN)
        self.state = self.game.reset()
        return self.observe(f"{self.state.objective}\n\n{self.state.description}")

    def step(self, action: str) -> Observation:
        """Execute a command; a point of the game's score is a reward of 1."""
        before = self.state.score
        self.state, _, _ = self.game.step(action)
        return self.observe(self.state.feedback.partition("\n>")[0], float(self.state.score - before))

    def observe(self, text: str, reward: float = 0.0) -> Observation:
        """Return the text of the game without repeated blank lines, and the commands that are offered."""
        end = "solved" if self.state.won else "env_ended" if self.state.lost else None
        lines = [line.strip() for line in text.splitlines()]
        shown = "\n".join(line for number, line in enumerate(lines) if line or (number and lines[number - 1]))
        actions = tuple(command for command in self.state.admissible_commands if command.startswith(OFFERED))
        return Observation(text=shown.strip(), actions=actions, reward=reward, end=end)

    def solve(self) -> Sequence[str]:
        """Return TextWorld's walkthrough."""
        return tuple(command for command in self.state["extra.walkthrough"] if command.startswith(OFFERED))

    def close(self) -> None:
        """End the game."""
        if self.game is not None:
            self.game.close()
        self.game = None

    def versions(self) -> dict[str, str]:
        """Return the versions of the generator and of the interpreter."""
        return {name: version(name) for name in ("textworld", "jericho")}


def game_file(params: dict[str, Any]) -> Path:
    """Return the file of a game; the first process that needs it generates it."""
    folder = GAMES / "-".join(f"{name}={value}" for name, value in sorted(params.items()))
    if not folder.exists():
        GAMES.mkdir(parents=True, exist_ok=True)
        options = textworld.GameOptions()
        options.seeds = params["seed"]
        with tempfile.TemporaryDirectory(dir=GAMES, ignore_cleanup_errors=True) as new:
            options.path = f"{new}/game.z8"
            compile_game(cooking.make({**params, "recipe_seed": params["seed"]}, options), options)
            if not folder.exists():
                Path(new).rename(folder)
    return folder / "game.z8"

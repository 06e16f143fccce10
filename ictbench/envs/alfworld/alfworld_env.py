"""ALFWorld as a `TextEnv`.

A task's params are either `game` (`split/task folder/trial`) and `problem_sha256`, an official game, or `family`,
`rooms` and `seed`, a generated one. Both are played with the domain and the grammar of the installed package, so
that nothing depends on which version wrote a game file; only the goal's sentence is the file's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from ictbench.envs.alfworld import alfworld_package as package
from ictbench.envs.alfworld.game_engine import Game, PddlEngine
from ictbench.envs.alfworld.official_games import read_game
from ictbench.envs.text_env import TextEnv
from ictbench.errors import IctbenchError, UsageError
from ictbench.records import Observation

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ictbench.envs.alfworld.game_engine import View
    from ictbench.envs.alfworld.rooms import Split
    from ictbench.records import Task


class AlfworldEnv(TextEnv):
    """One engine, reset to game after game."""

    def __init__(self) -> None:
        """Check that the packages are there.

        Raises:
            MissingExtraError: alfworld cannot be imported.
            ConfigError: `ALFWORLD_DATA` names no folder.
        """
        package.require_packages()
        self._engine: PddlEngine | None = None
        self._file: str | None = None

    def reset(self, task: Task) -> Observation:
        """Start a game.

        Raises:
            EnvError: it cannot be read, is not the one meant, or cannot be solved.
        """
        game, self._file = game_of(task)
        self._game = game
        self._engine = self._engine or PddlEngine()
        return _observe(self._engine.reset(game), reward=0.0)

    def step(self, action: str) -> Observation:
        """Carry out one command; winning is worth 1."""
        assert self._engine is not None
        view = self._engine.step(action)
        return _observe(view, reward=float(view.won))

    def close(self) -> None:
        """Unload the engine."""
        if self._engine is not None:
            self._engine.close()
        self._engine = None

    def versions(self) -> dict[str, str]:
        """Packages; and the SHA-256 of the game file, while an official game is played."""
        return {**package.versions(), **({"game.tw-pddl": self._file} if self._file else {})}

    @classmethod
    def unplayable(cls, tasks: Iterable[Task]) -> str | None:
        """The first game that is missing or damaged, and how many are."""
        tasks = [task for task in tasks if "game" in task.params]
        troubles = [trouble for task in tasks if (trouble := _trouble(task))]
        if not troubles:
            return None
        return f"{len(troubles)} of {len(tasks)} ALFWorld games cannot be used; the first: {troubles[0]}"

    def solve(self) -> Sequence[str]:
        """Commands that win the current game, worked out from its facts."""
        from ictbench.envs.alfworld.pddl import parse_problem
        from ictbench.envs.alfworld.walkthrough import solve

        assert self._engine is not None
        return solve(parse_problem(self._game.problem), self._engine.translation.names)


def game_of(task: Task) -> tuple[Game, str | None]:
    """A task's game; with the SHA-256 of its file if it has one.

    Raises:
        EnvError: it cannot be read, or is not the one meant.
        UsageError: the task is none of this environment.
    """
    params = task.params
    game, problem_sha256 = params.get("game"), params.get("problem_sha256")
    if isinstance(game, str) and isinstance(problem_sha256, str):
        read = read_game(game, problem_sha256)
        return Game(package.domain(), read.problem, package.grammar(read.goal)), read.sha256
    family, seed, rooms = params.get("family"), params.get("seed"), params.get("rooms")
    if isinstance(family, str) and isinstance(seed, int) and rooms in ("train", "test"):
        from ictbench.envs.alfworld.procgen import generate

        made = generate(family, seed, cast("Split", rooms))
        return Game(package.domain(), made.problem, package.grammar(made.goal)), None
    raise UsageError(
        f"task {task.id!r}: params need `game` and `problem_sha256`, or `family`, `seed` and `rooms` (train or test), "
        f"not {params!r}"
    )


def _trouble(task: Task) -> str | None:
    try:
        game_of(task)
    except IctbenchError as error:
        return str(error)
    return None


def _observe(view: View, reward: float) -> Observation:
    return Observation(text=view.text, actions=view.commands, reward=reward, end="solved" if view.won else None)

"""ALFWorld as a `TextEnv`.

The params of a task are `game` (`split/task folder/trial`) and `problem_sha256` for an official game, or `family`,
`rooms` and `seed` for a generated one. All games use the domain and the grammar of the installed package, so that the
version that wrote a game file does not matter. Only the sentence of the goal comes from the file.
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
    from ictbench.records import EnvEnd, Task


class AlfworldEnv(TextEnv):
    """One game engine, reset to one game after another."""

    def __init__(self) -> None:
        """Check that the packages are installed.

        Raises:
            MissingExtraError: A package is not installed.
            ConfigError: `ALFWORLD_DATA` is not a folder.
        """
        package.require_packages()
        self._engine: PddlEngine | None = None
        self._file_sha256: str | None = None

    def reset(self, task: Task) -> Observation:
        """Start the game of a task.

        Raises:
            EnvError: The game cannot be read, differs from the official one, or cannot be solved.
            UsageError: The params are not those of a game.
        """
        self._game, self._file_sha256 = load_game(task)
        self._engine = self._engine or PddlEngine()
        return _observation(self._engine.reset(self._game), reward=0.0)

    def step(self, action: str) -> Observation:
        """Carry out a command. The reward is 1 when the game is won, else 0."""
        assert self._engine is not None
        view = self._engine.step(action)
        return _observation(view, reward=float(view.won))

    def close(self) -> None:
        """Release the engine."""
        if self._engine is not None:
            self._engine.close()
        self._engine = None

    def versions(self) -> dict[str, str]:
        """Return the versions of the packages, and the SHA-256 of the game file while an official game is played."""
        return {**package.versions(), **({"game.tw-pddl": self._file_sha256} if self._file_sha256 else {})}

    @classmethod
    def unplayable(cls, tasks: Iterable[Task]) -> str | None:
        """Return how many official games are missing or damaged, with the first of them; None if all are usable."""
        official = [task for task in tasks if "game" in task.params]
        problems = [problem for task in official if (problem := _find_problem(task))]
        if not problems:
            return None
        return f"{len(problems)} of {len(official)} ALFWorld games cannot be used; the first: {problems[0]}"

    def solve(self) -> Sequence[str]:
        """Return commands that win the current game, computed from its facts and its goal."""
        from ictbench.envs.alfworld.pddl import parse_problem
        from ictbench.envs.alfworld.walkthrough import solve

        assert self._engine is not None
        return solve(parse_problem(self._game.problem), self._engine.translation.names)


def load_game(task: Task) -> tuple[Game, str | None]:
    """Return the game of a task, and the SHA-256 of its file for an official game.

    Raises:
        EnvError: The file is missing, damaged, or holds another problem.
        UsageError: The params are not those of a game.
    """
    params = task.params
    game, problem_sha256 = params.get("game"), params.get("problem_sha256")
    if isinstance(game, str) and isinstance(problem_sha256, str):
        official = read_game(game, problem_sha256)
        return Game(package.domain(), official.problem, package.grammar(official.goal)), official.sha256
    family, seed, rooms = params.get("family"), params.get("seed"), params.get("rooms")
    if isinstance(family, str) and isinstance(seed, int) and rooms in ("train", "test"):
        from ictbench.envs.alfworld.procgen import generate

        generated = generate(family, seed, cast("Split", rooms))
        return Game(package.domain(), generated.problem, package.grammar(generated.goal)), None
    raise UsageError(
        f"task {task.id!r}: params need `game` and `problem_sha256`, or `family`, `seed` and `rooms` (train or test), "
        f"not {params!r}"
    )


def _find_problem(task: Task) -> str | None:
    """Return why the game of a task cannot be loaded, None if it can."""
    try:
        load_game(task)
    except IctbenchError as error:
        return str(error)
    return None


def _observation(view: View, reward: float) -> Observation:
    end: EnvEnd | None = "solved" if view.won else None
    return Observation(text=view.text, actions=view.commands, reward=reward, end=end, progress=view.progress)

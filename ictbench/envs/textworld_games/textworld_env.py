"""TextWorld's games as a `TextEnv`.

The params of a task are the settings of its game: see `settings.py`. The game is generated and compiled when it is
first played, and then kept in the cache folder. It runs in TextWorld's own interpreter; a task is solved when the game
is won.
"""

from __future__ import annotations

import re
import tempfile
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ictbench.envs.text_env import TextEnv
from ictbench.envs.textworld_games.game_store import load_game
from ictbench.envs.textworld_games.generator import LOCK, GameFiles
from ictbench.envs.textworld_games.settings import settings_of
from ictbench.errors import EnvError, MissingExtraError, UsageError
from ictbench.records import Observation

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ictbench.records import EnvEnd, Task

PACKAGES = ("textworld", "jericho")
"""Packages that generate and run the games."""

PREPARE = "prepare meal"
"""Command that is offered wherever meals are prepared. TextWorld offers it only to who holds all ingredients."""

SEED = 1
"""Seed of the interpreter, which otherwise takes the time."""

THE_END = re.compile(r"(\*\*\* (?:The End|You lost!) \*\*\*).*", re.DOTALL)
"""End of a game, and what follows: score, number of turns, and the question whether to play again."""

PROMPT = re.compile(r"\n>[^\n]*-= .*\Z")
"""Prompt of the interpreter and its status line, with room, score and turns."""


class TextWorldEnv(TextEnv):
    """Environment of one game at a time."""

    def __init__(self) -> None:
        """Import the package.

        Raises:
            MissingExtraError: textworld cannot be imported.
        """
        self._textworld = _import_textworld()
        self._files: GameFiles | None = None
        self._game: Any = None
        self._state: Any = None

    @classmethod
    def unplayable(cls, tasks: Iterable[Task]) -> str | None:
        """Return the first problem of the tasks' params, None if there is none."""
        for task in tasks:
            try:
                settings_of(task)
            except UsageError as error:
                return str(error)
        return None

    def reset(self, task: Task) -> Observation:
        """Start the task's game. The first time, it is generated.

        Raises:
            UsageError: The params are not the settings of a game.
            EnvError: The game cannot be generated or compiled.
        """
        settings = settings_of(task)
        self.close()
        self._files = load_game(settings)
        with LOCK:
            self._game, self._state = self._start(self._files)
            text = str(self._state.feedback)
            _, objective, room = text.rpartition(self._state.objective)
            if not objective:
                raise EnvError(f"the game does not start with its objective, but with {text[-200:]!r}")
            return self._observe(f"Your task: {objective}\n\n{room}", 0)

    def step(self, action: str) -> Observation:
        """Give a command. The reward is the number of points that the game's score goes up by."""
        before = self._state.score
        with LOCK:
            self._state, _, _ = self._game.step(action)
            return self._observe(self._state.feedback, self._state.score - before)

    def solve(self) -> Sequence[str]:
        """Return the commands of TextWorld's walkthrough that are needed.

        Raises:
            EnvError: They do not win the game.
        """
        assert self._files is not None
        plan = []
        with LOCK:
            game, state = self._start(self._files)
            for command in state["extra.walkthrough"]:
                # A walkthrough opens containers that are open already, and starts with a look at what is carried.
                if command in _offered(state) and command != "inventory":
                    plan.append(command)
                    state, _, _ = game.step(command)
            game.close()
        if not state.won:
            raise EnvError(f"TextWorld's walkthrough does not win the game: {state['extra.walkthrough']}")
        return plan

    def close(self) -> None:
        """End the game."""
        if self._game is not None:
            with LOCK:
                self._game.close()
        self._game = self._state = None

    def versions(self) -> dict[str, str]:
        """Return the versions of the generator and of the interpreter."""
        return _versions()

    def _start(self, files: GameFiles) -> tuple[Any, Any]:
        """Return a running game and its first state."""
        shown = self._textworld.EnvInfos(
            admissible_commands=True,
            facts=True,
            max_score=True,
            objective=True,
            score=True,
            won=True,
            lost=True,
            extras=["walkthrough"],
        )
        with tempfile.TemporaryDirectory(prefix="ictbench-textworld-") as folder:
            story = Path(folder, "game.z8")
            story.write_bytes(files.story)
            story.with_suffix(".json").write_bytes(files.facts)
            game = self._textworld.start(str(story), shown)
            game.seed(SEED)
            return game, game.reset()

    def _observe(self, text: str, points: int) -> Observation:
        state = self._state
        end: EnvEnd | None = "solved" if state.won else "env_ended" if state.lost else None
        return Observation(
            text="\n".join([*_clean_lines(text), "", *_situation(state.facts)]),
            actions=_offered(state),
            reward=float(points),
            end=end,
            progress=1.0 if state.won else state.score / state.max_score,
        )


def _clean_lines(text: str) -> Iterator[str]:
    """Yield the lines of the game's reply, without the interpreter's prompt, and without repeated blank lines."""
    text = THE_END.sub(r"\1", PROMPT.sub("", text)).strip()
    lines = [line.strip() for line in text.splitlines()]
    return (line for number, line in enumerate(lines) if line or lines[number - 1])


def _situation(facts: Sequence[Any]) -> Iterator[str]:
    """Yield where the player is and what it carries."""
    carried = sorted(fact.arguments[0].name for fact in facts if fact.name == "in" and fact.arguments[1].type == "I")
    yield f"You are in the {_room(facts)}."
    yield f"You carry: {', '.join(carried)}." if carried else "You carry nothing."


def _offered(state: Any) -> tuple[str, ...]:
    """Return the admissible commands, sorted, with `prepare meal` wherever meals are prepared."""
    commands = set(state.admissible_commands)
    if any(fact.name == "cooking_location" and fact.arguments[0].name == _room(state.facts) for fact in state.facts):
        commands.add(PREPARE)
    return tuple(sorted(commands))


def _room(facts: Sequence[Any]) -> str:
    return next(str(fact.arguments[1].name) for fact in facts if fact.name == "at" and fact.arguments[0].type == "P")


@cache
def _versions() -> dict[str, str]:
    return {package: version(package) for package in PACKAGES}


def _import_textworld() -> Any:
    try:
        import textworld
    except ModuleNotFoundError as error:
        raise MissingExtraError("TextWorld", "textworld", str(error)) from error
    return textworld

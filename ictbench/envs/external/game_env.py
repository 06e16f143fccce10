"""Files of text adventures as a `TextEnv`: `game:PATH`, a game of TextWorld or one that Jericho knows, or a folder.

A task in a folder has the param `game`, the name of its file there. The seed of a task is that of the interpreter. A
relative path starts in the working directory.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from ictbench.envs.external.interface import ExternalParams, Interface
from ictbench.envs.text_env import TextEnv
from ictbench.envs.textworld_games.generator import LOCK
from ictbench.envs.textworld_games.textworld_env import PROMPT, TextWorldEnv
from ictbench.errors import ConfigError, UsageError
from ictbench.records import Observation
from ictbench.user_folders import expand_home

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ictbench.records import EnvEnd, Task

SUFFIXES = (".z1", ".z2", ".z3", ".z4", ".z5", ".z6", ".z7", ".z8", ".ulx")


class GameParams(ExternalParams):
    """Params of the tasks of a game file."""

    game: str = ""
    """Name of the file, if the address is a folder."""
    problem_sha256: str = ""
    """SHA-256 of the file; empty to accept any."""


class GameEnv(TextEnv):
    """Interpreter of the games at one path."""

    addressed: ClassVar[bool] = True

    def __init__(self, address: str) -> None:
        """Import TextWorld.

        Raises:
            MissingExtraError: textworld cannot be imported.
        """
        self._address = address
        self._versions = TextWorldEnv().versions()
        self._path: Path | None = None
        self._digests: dict[str, str] = {}
        """SHA-256 of the files of the open game."""
        self._interface = Interface()
        self._game: Any = None
        self._score = 0

    @classmethod
    def unplayable(cls, tasks: Iterable[Task]) -> str | None:
        """Return the first problem of the params and files, None if there is none."""
        for task in tasks:
            try:
                _find(task.env.partition(":")[2], GameParams.of(task))
            except UsageError as error:
                return str(error)
        return None

    def reset(self, task: Task) -> Observation:
        """Start the game of the task.

        Raises:
            ConfigError: The file is missing or another one, or does not say what can be done or whether it is won.
        """
        params = GameParams.of(task)
        path = _find(self._address, params)
        self._interface = params.interface
        with LOCK:
            digests = _digests(path)
            if (path, digests) != (self._path, self._digests):
                self.close()
                self._game, self._path, self._digests = _start(path), path, digests
            # The interpreter takes 0 for the time.
            self._game.seed(params.seed + 1)
            state = self._game.reset()
            self._score = int(state.score or 0)
            self._check(state, path)
            return self._observe(state)

    def step(self, action: str) -> Observation:
        """Give a command. The reward is the number of points that the game's score goes up by."""
        with LOCK:
            state, _, _ = self._game.step(action)
            return self._observe(state)

    def close(self) -> None:
        """End the game."""
        if self._game is not None:
            with LOCK:
                self._game.close()
        self._game = self._path = None
        self._digests = {}

    def versions(self) -> dict[str, str]:
        """Return the versions of the interpreter, and SHA-256 of the game's files as soon as it is known."""
        return {**self._versions, **(self._digests or _digests(expand_home(self._address)))}

    def _check(self, state: Any, path: Path) -> None:
        if self._interface.model_copy(update={"actions": None}) != Interface() or isinstance(
            self._interface.actions, dict
        ):
            raise ConfigError(
                "the `interface` of a game has a list of `actions` and nothing else: the rest it says itself"
            )
        if state.won is None:
            raise ConfigError(
                f"game file {path} does not say when it is won: it is neither a game of TextWorld with its .json file "
                "beside it, nor one that Jericho knows"
            )
        if not self._interface.actions and not state.admissible_commands:
            raise ConfigError(
                f"game file {path} does not list admissible commands: add `interface: {{actions: [COMMAND, …]}}` to "
                "the params of the suite"
            )

    def _observe(self, state: Any) -> Observation:
        before, self._score = self._score, int(state.score or 0)
        end: EnvEnd | None = "solved" if state.won else "env_ended" if state.lost else None
        actions = self._interface.actions or sorted(set(state.admissible_commands or ()))
        text = "\n".join(line.rstrip() for line in PROMPT.sub("", str(state.feedback)).splitlines()).strip()
        progress = min(1.0, max(0.0, self._score / state.max_score)) if state.max_score else None
        if progress is not None and state.won:
            progress = 1.0  # some games are won without all points
        return Observation(
            text=text, actions=tuple(actions), reward=float(self._score - before), end=end, progress=progress
        )


def _start(path: Path) -> Any:
    import textworld

    shown = textworld.EnvInfos(admissible_commands=True, score=True, max_score=True, won=True, lost=True)
    return textworld.start(str(path), shown)


def _find(address: str, params: GameParams) -> Path:
    """Return the file of a game, after a check that it is the one of the suite.

    Raises:
        ConfigError: It is missing, another one, or no game.
    """
    path = expand_home(address)
    if path.is_dir():
        if not params.game or Path(params.game).name != params.game:
            raise ConfigError(
                f"{address} is a folder: params need `game`, the name of a file in it, not {params.game!r}"
            )
        path /= params.game
    if not path.is_file():
        raise ConfigError(f"game file {path} is not found (a relative path starts in the working directory)")
    if path.suffix not in SUFFIXES:
        raise ConfigError(f"game file {path} is not a compiled game: name one that ends in .z1 to .z8 or .ulx")
    if params.problem_sha256 and (found := _sha256(path, path.stat().st_mtime_ns)) != params.problem_sha256:
        raise ConfigError(
            f"game file {path} has SHA-256 {found[:16]}…, and the suite says {params.problem_sha256[:16]}…: it is "
            "another version of the game"
        )
    return path


def _digests(path: Path) -> dict[str, str]:
    """Return SHA-256 of a game's files by their names; none for a folder."""
    files = [file for file in (path, path.with_suffix(".json")) if file.is_file()]
    return {file.name: _sha256(file, file.stat().st_mtime_ns) for file in files}


@cache
def _sha256(path: Path, changed: int) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()

"""The official games, as the package's own downloader lays them out under its data folder."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ictbench.envs.alfworld.alfworld_package import data_folder
from ictbench.errors import EnvError

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = "json_2.1.1"
FETCH = "`ictbench data fetch alfworld` fetches the games; ALFWORLD_DATA names the folder they are in"


@dataclass(frozen=True, slots=True)
class OfficialGame:
    """A game file, read and checked."""

    problem: str
    """PDDL."""
    goal: str
    """The sentence after "Your task is to: ", without its full stop."""
    sha256: str
    """Of the file."""


def game_file(game: str) -> Path:
    """Where the file of a game `split/task folder/trial` belongs.

    Raises:
        ConfigError: `ALFWORLD_DATA` names no folder.
    """
    return data_folder() / FOLDER / game / "game.tw-pddl"


def read_game(game: str, problem_sha256: str) -> OfficialGame:
    """Read a game, and make sure that it is the one meant.

    Raises:
        EnvError: the file is not there, is damaged, or holds another problem.
        ConfigError: `ALFWORLD_DATA` names no folder.
    """
    path = game_file(game)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise EnvError(f"the official game {game} is not there ({path}: {error.strerror}); {FETCH}") from error
    try:
        data = json.loads(content)
        problem, (goal,) = (
            str(data["pddl_problem"]),
            set(re.findall(r"Your task is to: ([^\"]*?)\.?\"", data["grammar"])),
        )
        found = hashlib.sha256(problem.encode()).hexdigest()
    except (ValueError, KeyError, TypeError) as error:
        raise EnvError(f"the game file {path} is damaged ({type(error).__name__}: {error}); {FETCH}") from error
    if found != problem_sha256:
        raise EnvError(
            f"the game file {path} holds another problem than the official one "
            f"(SHA-256 {found[:12]}… instead of {problem_sha256[:12]}…); {FETCH}"
        )
    return OfficialGame(problem, goal, hashlib.sha256(content).hexdigest())

"""Official game files, in the layout of the alfworld package's downloader."""

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
FETCH = "run `ictbench data fetch alfworld`, or set ALFWORLD_DATA to the folder that holds the games"


@dataclass(frozen=True, slots=True)
class OfficialGame:
    """A game file, read and verified."""

    problem: str
    """PDDL."""
    goal: str
    """The sentence after "Your task is to: ", without its full stop."""
    sha256: str
    """Digest of the file."""


def game_file(game: str) -> Path:
    """Return the path of a game's file.

    Args:
        game: Name of the game, `split/task folder/trial`.

    Raises:
        ConfigError: `ALFWORLD_DATA` is not a folder.
    """
    return data_folder() / FOLDER / game / "game.tw-pddl"


def read_game(game: str, problem_sha256: str) -> OfficialGame:
    """Read the file of a game and verify the digest of its problem.

    Raises:
        EnvError: The file is missing, damaged, or holds another problem.
        ConfigError: `ALFWORLD_DATA` is not a folder.
    """
    path = game_file(game)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise EnvError(f"the official game {game} is missing ({path}: {error.strerror}); {FETCH}") from error
    try:
        data = json.loads(content)
        problem = str(data["pddl_problem"])
        (goal,) = set(re.findall(r"Your task is to: ([^\"]*?)\.?\"", data["grammar"]))
        digest = hashlib.sha256(problem.encode()).hexdigest()
    except (ValueError, KeyError, TypeError) as error:
        raise EnvError(f"the game file {path} is damaged ({type(error).__name__}: {error}); {FETCH}") from error
    if digest != problem_sha256:
        raise EnvError(
            f"the game file {path} holds another problem than the official one "
            f"(SHA-256 {digest[:12]}… instead of {problem_sha256[:12]}…); {FETCH}"
        )
    return OfficialGame(problem, goal, hashlib.sha256(content).hexdigest())

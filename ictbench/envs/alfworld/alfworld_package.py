"""Files and versions of the alfworld package, without importing it.

Importing alfworld creates the folder that `ALFWORLD_DATA` names. A misspelled folder would then exist and be empty.
"""

from __future__ import annotations

import os
import re
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from ictbench.errors import ConfigError, EnvError, MissingExtraError
from ictbench.user_folders import home_folder

PACKAGES = ("alfworld", "fast-downward-textworld", "textworld")
"""Packages on which the behaviour of games depends."""

GOAL = re.compile(r"[A-Za-z0-9 ,.'-]{1,200}")
"""Sentence of a goal: no character of it has a meaning in a grammar, as `{`, `[`, `#` and `"` do."""


def data_folder() -> Path:
    """Return the folder of the official games: `ALFWORLD_DATA`, else the package's own download folder.

    Raises:
        ConfigError: `ALFWORLD_DATA` is not a folder, or is not set and the user has no home folder.
    """
    configured = os.environ.get("ALFWORLD_DATA")
    if configured is None:
        return home_folder("ALFWORLD_DATA to the folder of the games") / ".cache" / "alfworld"
    if not configured or not Path(configured).is_dir():
        raise ConfigError(f"ALFWORLD_DATA is {configured!r}, which is not a folder; correct it, or unset it")
    return Path(configured)


def require_packages() -> None:
    """Check that the packages are installed, and that importing them creates no folder by mistake.

    Raises:
        MissingExtraError: A package is not installed.
        ConfigError: `ALFWORLD_DATA` is not a folder, or is not set and the package's own folder cannot be created.
    """
    for module in ("alfworld", "textworld", "fast_downward", "numpy"):
        if find_spec(module) is None:
            raise MissingExtraError("ALFWorld", "alfworld", f"No module named {module!r}")
    folder = data_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:  # importing alfworld would fail in the same way
        raise ConfigError(
            f"the folder {folder} of the alfworld package cannot be created ({error.strerror}); "
            "set ALFWORLD_DATA to a folder that exists"
        ) from error


def package_file(path: str) -> Path:
    """Return the absolute path of a file of the package.

    Raises:
        MissingExtraError: The package is not installed.
    """
    spec = find_spec("alfworld")
    if spec is None or spec.origin is None:
        raise MissingExtraError("ALFWorld", "alfworld", "No module named 'alfworld'")
    return Path(spec.origin).parent / path


@cache
def domain() -> str:
    """Return the package's PDDL domain."""
    return package_file("data/alfred.pddl").read_text(encoding="utf-8")


def grammar(goal: str) -> str:
    """Return the package's text grammar for a game.

    Args:
        goal: Sentence of the goal, without its full stop.

    Raises:
        EnvError: The sentence may contain grammar.
    """
    if not GOAL.fullmatch(goal):
        raise EnvError(
            f"the goal of the game is {goal!r:.120}, and a goal is a sentence of at most 200 letters, digits, spaces "
            "and the characters , . ' -; use the official game file, which is not altered"
        )
    return _grammar_template().replace("UNKNOWN GOAL", goal)


@cache
def _grammar_template() -> str:
    return package_file("data/alfred.twl2").read_text(encoding="utf-8")


@cache
def versions() -> dict[str, str]:
    """Return the versions of the packages."""
    return {package: version(package) for package in PACKAGES}

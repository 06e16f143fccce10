"""What the alfworld package ships, without the side effect that importing it has.

Importing alfworld makes the folder that `ALFWORLD_DATA` names: a wrong one would look right, and empty, afterwards.
"""

from __future__ import annotations

import os
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from ictbench.errors import ConfigError, MissingExtraError

PACKAGES = ("alfworld", "fast-downward-textworld", "textworld")
"""On which the games' behaviour depends."""


def data_folder() -> Path:
    """Where the official games are looked for: `ALFWORLD_DATA`, or the folder that the package downloads to.

    Raises:
        ConfigError: `ALFWORLD_DATA` names no folder.
    """
    named = os.environ.get("ALFWORLD_DATA")
    if named is None:
        return Path.home() / ".cache" / "alfworld"
    if not named or not Path(named).is_dir():
        raise ConfigError(f"ALFWORLD_DATA names {named!r}, which is no folder; correct it, or unset it")
    return Path(named)


def require_packages() -> None:
    """Check that the packages are there, and that importing them makes no folder by mistake.

    Raises:
        MissingExtraError: one is not installed.
        ConfigError: `ALFWORLD_DATA` names no folder, or is not set and the package's own folder cannot be made.
    """
    for module in ("alfworld", "textworld", "fast_downward", "numpy"):
        if find_spec(module) is None:
            raise MissingExtraError("ALFWorld", "alfworld", f"No module named {module!r}")
    folder = data_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:  # importing alfworld would fail in the same way
        raise ConfigError(
            f"alfworld's folder {folder} cannot be made ({error.strerror}); set ALFWORLD_DATA to a folder that exists"
        ) from error


def shipped(path: str) -> Path:
    """A file of the package."""
    spec = find_spec("alfworld")
    if spec is None or spec.origin is None:
        raise MissingExtraError("ALFWorld", "alfworld", "No module named 'alfworld'")
    return Path(spec.origin).parent / path


@cache
def domain() -> str:
    """The package's PDDL domain."""
    return shipped("data/alfred.pddl").read_text(encoding="utf-8")


def grammar(goal: str) -> str:
    """The package's text grammar for a game whose goal reads so, without its full stop."""
    return _grammar().replace("UNKNOWN GOAL", goal)


@cache
def _grammar() -> str:
    return shipped("data/alfred.twl2").read_text(encoding="utf-8")


@cache
def versions() -> dict[str, str]:
    """Versions of the packages."""
    return {package: version(package) for package in PACKAGES}

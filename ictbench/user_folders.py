"""Folders of the user: home and cache."""

from __future__ import annotations

import os
from pathlib import Path

from ictbench.errors import ConfigError

EMPTY_PATH = "'' is not a path; name a file or a folder (. is the current folder)"
"""Error message about an empty path. `Path("")` is the current folder, which nobody meant."""


def home_folder(remedy: str) -> Path:
    """Return the user's home folder.

    Args:
        remedy: What to set instead of it, for the error message.

    Raises:
        ConfigError: The user has none, as in some containers.
    """
    try:
        return Path.home()
    except RuntimeError as error:
        raise ConfigError(f"this user has no home folder; set HOME, or {remedy}") from error


def cache_folder() -> Path:
    """Return the user's cache folder: `XDG_CACHE_HOME`, else `.cache` in the home folder.

    Raises:
        ConfigError: The user has no home folder, and the variable is not set.
    """
    configured = os.environ.get("XDG_CACHE_HOME")
    return Path(configured) if configured else home_folder("XDG_CACHE_HOME to a folder for caches") / ".cache"


def expand_home(path: str | Path) -> Path:
    """Return the path with a leading `~` replaced by the home folder, as a shell does before it starts a program.

    Raises:
        ConfigError: The path is an empty text, or the home folder is not known.
    """
    if path == "":
        raise ConfigError(EMPTY_PATH)
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        raise ConfigError(f"{path}: the home folder is not known; write the whole path") from error

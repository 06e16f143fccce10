"""Loading of suites that ship with ictbench, and of a user's own suite files."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ictbench.errors import SuiteError, UnknownNameError
from ictbench.plugins import suggest
from ictbench.suites.suite import Suite
from ictbench.user_folders import expand_home
from ictbench.validation import validation_message
from ictbench.yaml_file import read_yaml

PACKAGE = Path(__file__).parent.parent


def list_suites() -> dict[str, Path]:
    """Return the names of the suites that ship with ictbench, each with its file."""
    # A wheel contains the folder in the package; a checkout has it next to the package.
    folders = (PACKAGE / "tasks", PACKAGE.parent / "tasks")
    folder = next(folder for folder in folders if folder.is_dir())
    return {path.stem: path for path in sorted(folder.glob("*.yaml"))}


def load_suite(name: str | Path) -> Suite:
    """Load a suite by its name, or from a YAML file.

    Raises:
        UnknownNameError: No suite of that name ships with ictbench, and it is not a YAML file.
        SuiteError: The file cannot be read or is not valid.
    """
    known = list_suites()
    path = known.get(str(name)) or expand_home(Path(name))
    if path.suffix not in (".yaml", ".yml"):
        raise UnknownNameError(f"unknown suite {str(name)!r}; {suggest(str(name), known)} (or name a .yaml file)")
    try:
        content = read_yaml(path)
        _insert_games(content, path.parent)
        return Suite.model_validate(content)
    except ValidationError as error:
        raise SuiteError(f"suite file {path} is not valid: {validation_message(error)}") from error
    except (OSError, ValueError, csv.Error) as error:
        raise SuiteError(f"suite file {path} cannot be read: {' '.join(str(error).split())}") from error


def suites_of_env(env: str) -> list[str]:
    """Return the names of the suites of an environment, sorted. The last one that can be played is the default.

    Raises:
        UnknownNameError: No suite has that environment.
    """
    env_by_suite = {name: load_suite(name).env for name in list_suites()}
    names = [name for name, suite_env in env_by_suite.items() if suite_env == env]
    if not names:
        raise UnknownNameError(f"no suite has the environment {env!r}; {suggest(env, set(env_by_suite.values()))}")
    return names


def _insert_games(content: Any, folder: Path) -> None:
    """Replace the file name in `pools.games` of a suite by the rows of that CSV file."""
    pools = content.get("pools") if isinstance(content, dict) else None
    if isinstance(pools, dict) and isinstance(name := pools.get("games"), str):
        with (folder / name).open(encoding="utf-8-sig", newline="") as file:
            pools["games"] = list(csv.DictReader(file))

"""Suites from files: those that ship with the package, and a user's own."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from ictbench.errors import SuiteError, UnknownNameError
from ictbench.plugins import suggest
from ictbench.suites.suite import Suite

PACKAGE = Path(__file__).parent.parent


def list_suites() -> dict[str, Path]:
    """Names of the suites that ship with ictbench, with their files."""
    # A wheel carries them inside the package; a checkout has them at its top.
    folders = (PACKAGE / "tasks", PACKAGE.parent / "tasks")
    folder = next(folder for folder in folders if folder.is_dir())
    return {path.stem: path for path in sorted(folder.glob("*.yaml"))}


def load_suite(name: str | Path) -> Suite:
    """A suite by name, or from a YAML file of one's own.

    Raises:
        UnknownNameError: no suite of that name ships, and it is no YAML file.
        SuiteError: the file cannot be read or is not valid.
    """
    known = list_suites()
    path = known.get(str(name)) or Path(name)
    if path.suffix not in (".yaml", ".yml"):
        raise UnknownNameError(f"unknown suite {str(name)!r}; {suggest(str(name), known)} (or name a .yaml file)")
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        _read_games(content, path.parent)
        return Suite.model_validate(content)
    except (OSError, UnicodeDecodeError, yaml.YAMLError, csv.Error) as error:
        raise SuiteError(f"suite file {path} cannot be read: {' '.join(str(error).split())}") from error
    except ValidationError as error:
        raise SuiteError(f"suite file {path} is not valid: {describe(error)}") from error


def _read_games(content: Any, folder: Path) -> None:
    """Put a suite's list of games where the suite names its file."""
    pools = content.get("pools") if isinstance(content, dict) else None
    if isinstance(pools, dict) and isinstance(name := pools.get("games"), str):
        with (folder / name).open(encoding="utf-8", newline="") as file:
            pools["games"] = list(csv.DictReader(file))


def describe(error: ValidationError) -> str:
    """The first problem of a validation error, on one line, with where it is and the value."""
    first = error.errors(include_url=False)[0]
    where = ".".join(str(part) for part in first["loc"]) or "the file"
    more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    return f"{where}: {first['msg']}, got {first['input']!r:.80}{more}"


def suites_of_env(env: str) -> list[str]:
    """Names of the suites of an environment, the newest and fullest last.

    Raises:
        UnknownNameError: there is none.
    """
    known = {name: load_suite(name).env for name in list_suites()}
    fitting = [name for name, own in known.items() if own == env]
    if not fitting:
        raise UnknownNameError(f"no suite has the environment {env!r}; {suggest(env, set(known.values()))}")
    return fitting

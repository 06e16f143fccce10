"""Loading of suites that ship with ictbench or with plug-ins, and of a user's own suite files."""

from __future__ import annotations

import csv
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ictbench.errors import SuiteError, UnknownNameError, UsageError
from ictbench.plugins import all_entry_points, check_unique, installed, suggest
from ictbench.suites.suite import Suite
from ictbench.user_folders import expand_home
from ictbench.validation import validation_message
from ictbench.visible_text import joined_lines
from ictbench.yaml_file import read_yaml

PACKAGE = Path(__file__).parent.parent


def list_suites() -> dict[str, Path]:
    """Return the names of all suites, those that ship with ictbench and those of plug-ins, each with its file."""
    return {**_suites_of_plugins(), **shipped_suites()}


def shipped_suites() -> dict[str, Path]:
    """Return the names of the suites that ship with ictbench, each with its file."""
    # A wheel contains the folder in the package; a checkout has it next to the package.
    folders = (PACKAGE / "tasks", PACKAGE.parent / "tasks")
    folder = next(folder for folder in folders if folder.is_dir())
    return {path.stem: path for path in sorted(folder.glob("*.yaml"))}


def load_suite(name: str | Path) -> Suite:
    """Load a suite by its name, or from a YAML file.

    Raises:
        UnknownNameError: No suite has that name, or several have it, and it is not a YAML file.
        SuiteError: The file cannot be read or is not valid.
    """
    known = list_suites()
    path = known.get(str(name)) or expand_home(name)
    if path.suffix not in (".yaml", ".yml"):
        raise UnknownNameError(f"unknown suite {str(name)!r}; {suggest(str(name), known)} (or name a .yaml file)")
    registered = str(name) in all_entry_points("suite")
    if registered:
        _check_one_package(str(name))
    try:
        content = read_yaml(path)
        _insert_games(content, path.parent)
        suite = Suite.model_validate(content)
    except ValidationError as error:
        raise SuiteError(f"suite file {path} is not valid: {validation_message(error, Suite)}") from error
    except (OSError, ValueError, csv.Error) as error:
        raise SuiteError(f"suite file {path} cannot be read: {joined_lines(str(error))}") from error
    if registered and suite.name != name:
        raise SuiteError(f"suite file {path} has the name {suite.name!r}, but is registered as {str(name)!r}")
    return suite


def suites_of_env(env: str) -> list[str]:
    """Return the names of the suites of an environment, sorted. The last one that can be played is the default.

    Raises:
        UnknownNameError: No suite has that environment.
        SuiteError: No valid suite has it, and a suite of a plug-in is not valid.
    """
    env_by_suite: dict[str, str] = {}
    problem: UsageError | None = None
    for name in sorted(list_suites()):
        try:
            env_by_suite[name] = load_suite(name).env
        except UsageError as error:
            # A plug-in's mistake may not stop the runs of other environments.
            problem = error
    names = [name for name, suite_env in env_by_suite.items() if is_env(suite_env, env)]
    if names:
        return names
    if problem:
        raise problem
    if ":" in env or env in installed("env"):
        raise UnknownNameError(
            f"no suite has the environment {env!r}; name its file with --suite, or register it as an entry point of "
            "ictbench.suites"
        )
    if env in list_suites():
        raise UnknownNameError(f"no suite has the environment {env!r}: `{env}` is a suite: --suite {env}")
    raise UnknownNameError(f"no suite has the environment {env!r}; {suggest(env, set(env_by_suite.values()))}")


def is_env(env: str, other: str) -> bool:
    """Return whether two names are those of one environment: its entry point, or its `package.module:Name`."""
    known = installed("env")
    return known.get(env, env) == known.get(other, other)


def _suites_of_plugins() -> dict[str, Path]:
    """Return the suites of installed plug-ins. A file need not exist."""
    files: dict[str, Path] = {}
    for name, points in all_entry_points("suite").items():
        try:
            module = find_spec(points[0].module)
        except ImportError:
            continue
        if module and module.origin:
            files[name] = Path(module.origin).with_name(f"{name}.yaml")
    return files


def _check_one_package(name: str) -> None:
    check_unique("suite", name)
    if name in shipped_suites():
        package = getattr(all_entry_points("suite")[name][0].dist, "name", "a plug-in")
        raise UnknownNameError(f"suite {name!r} ships with ictbench, and {package} registers it too; uninstall that")


def _insert_games(content: Any, folder: Path) -> None:
    """Replace the file name in `pools.games` of a suite by the rows of that CSV file."""
    pools = content.get("pools") if isinstance(content, dict) else None
    if isinstance(pools, dict) and isinstance(name := pools.get("games"), str):
        with (folder / name).open(encoding="utf-8-sig", newline="") as file:
            pools["games"] = list(csv.DictReader(file))

"""Suites from files: those that ship with the package, and a user's own."""

from __future__ import annotations

from pathlib import Path

import yaml
from pydantic import ValidationError

from ictbench.errors import SuiteError, UnknownNameError
from ictbench.resolve import suggest
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
        return Suite.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise SuiteError(f"suite file {path} cannot be read: {' '.join(str(error).split())}") from error
    except ValidationError as error:
        raise SuiteError(f"suite file {path} is not valid: {describe(error)}") from error


def describe(error: ValidationError) -> str:
    """The first problem of a validation error, on one line, with where it is and the value."""
    first = error.errors(include_url=False)[0]
    where = ".".join(str(part) for part in first["loc"]) or "the file"
    more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    return f"{where}: {first['msg']}, got {first['input']!r:.80}{more}"


def suite_of_env(env: str) -> str:
    """Name of the newest suite of an environment.

    Raises:
        UnknownNameError: there is none.
    """
    known = list_suites()
    fitting = [name for name in known if load_suite(name).env == env]
    if not fitting:
        envs = {load_suite(name).env for name in known}
        raise UnknownNameError(f"no suite has the environment {env!r}; {suggest(env, envs)}")
    return fitting[-1]

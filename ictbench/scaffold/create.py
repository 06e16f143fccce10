"""Writes the package of a plug-in from its templates."""

from __future__ import annotations

import importlib.util
import keyword
import re
import sys
from importlib.metadata import version
from pathlib import Path
from string import Template
from typing import Literal, get_args

from ictbench.errors import ConfigError
from ictbench.plugins import installed

Kind = Literal["env", "reflector", "actor"]

TEMPLATES = Path(__file__).parent / "templates"
SUFFIX = ".template"
"""So that no tool takes a template for the real thing."""
NAME = re.compile(r"[a-z]([a-z0-9_]*[a-z0-9])?")
"""Of a module and of a distribution at once."""


def create(kind: Kind, name: str, folder: Path | None = None) -> list[Path]:
    """Write the package of a new plug-in.

    Args:
        kind: what it is to be.
        name: of its module, and the name by which it is asked for once it is installed.
        folder: where it goes, which may not exist yet; the name, if None.

    Returns:
        The files that were written.

    Raises:
        ConfigError: the name cannot be used, the folder exists, or nothing can be written there.
    """
    _check_name(kind, name)
    folder = folder or Path(name)
    if folder.exists():
        raise ConfigError(f"{str(folder)!r} exists already; choose another name, or another folder with --out")
    words = {"name": name, "class_name": class_name(kind, name), "version": version("ictbench")}
    templates = sorted((TEMPLATES / kind).rglob(f"*{SUFFIX}"))
    files = {
        folder / Template(str(template.relative_to(TEMPLATES / kind)).removesuffix(SUFFIX)).substitute(words): template
        for template in templates
    }
    try:
        for path, template in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(Template(template.read_text(encoding="utf-8")).substitute(words), encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{str(folder)!r} cannot be written: {error}") from error
    return list(files)


def class_name(kind: Kind, name: str) -> str:
    """The class of a plug-in: `ice_maze` and `env` give `IceMazeEnv`."""
    camel = "".join(part.capitalize() for part in name.split("_"))
    return camel if camel.endswith(kind.capitalize()) else f"{camel}{kind.capitalize()}"


def _check_name(kind: str, name: str) -> None:
    if kind not in get_args(Kind):
        raise ConfigError(f"there is no template of {kind!r}; there are {', '.join(get_args(Kind))}")
    if not NAME.fullmatch(name):
        raise ConfigError(
            f"{name!r} is no name for a module: use small letters, digits and _ in between, e.g. my_{kind}"
        )
    if keyword.iskeyword(name):
        raise ConfigError(f"{name!r} is a word of Python itself; choose another name, e.g. my_{name}")
    if name in sys.stdlib_module_names or importlib.util.find_spec(name) is not None:
        raise ConfigError(f"{name!r} would hide a module that is installed; choose another name, e.g. my_{name}")
    if name in installed(kind):
        raise ConfigError(f"there is {kind} {name!r} already; choose another name, e.g. my_{name}")

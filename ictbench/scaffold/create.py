"""Creation of a plug-in package from templates."""

from __future__ import annotations

import importlib.util
import keyword
import re
import sys
from importlib.metadata import version
from pathlib import Path
from string import Template
from typing import Literal, cast, get_args

from ictbench.errors import ConfigError
from ictbench.plugins import installed

Kind = Literal["env", "reflector", "learner", "actor"]
"""Kind of a plug-in; a learner is a reflector with a memory."""

TEMPLATES = Path(__file__).parent / "templates"
SUFFIX = ".template"
"""Suffix of template files, so that no tool mistakes them for Python or TOML."""
NAME = re.compile(r"[a-z]([a-z0-9_]*[a-z0-9])?")
"""Names that are valid for a module and for a distribution."""


def create(kind: Kind, name: str, folder: Path | None = None) -> list[Path]:
    """Write the package of a new plug-in.

    Args:
        kind: Kind of the plug-in.
        name: Name of its module, and of the plug-in once it is installed.
        folder: Where to write it; must not exist. None for a folder of that name.

    Returns:
        The files that were written.

    Raises:
        ConfigError: The name cannot be used, the folder exists, or it cannot be written.
    """
    _check_name(kind, name)
    folder = folder or Path(name)
    if folder.exists():
        raise ConfigError(f"{str(folder)!r} already exists; choose another name, or another folder with --out")
    values = {"name": name, "class_name": class_name(kind, name), "version": version("ictbench")}
    templates = sorted((TEMPLATES / kind).rglob(f"*{SUFFIX}"))
    files = {
        folder / Template(str(template.relative_to(TEMPLATES / kind)).removesuffix(SUFFIX)).substitute(values): template
        for template in templates
    }
    try:
        for path, template in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(Template(template.read_text(encoding="utf-8")).substitute(values), encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{folder} cannot be written ({error.strerror}); choose another --out") from error
    return list(files)


def class_name(kind: Kind, name: str) -> str:
    """Return the name of the plug-in's class: `ice_maze` and `env` give `IceMazeEnv`."""
    camel = "".join(part.capitalize() for part in name.split("_"))
    return camel if camel.endswith(kind.capitalize()) else f"{camel}{kind.capitalize()}"


def _check_name(kind: str, name: str) -> None:
    if kind not in get_args(Kind):
        raise ConfigError(f"there is no template for {kind!r} (templates: {', '.join(get_args(Kind))})")
    if not NAME.fullmatch(name):
        plain = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
        raise ConfigError(
            f"{name!r} is not a valid module name: use lower-case letters, digits and inner underscores, e.g. "
            f"{plain if NAME.fullmatch(plain) else f'my_{kind}'}"
        )
    if keyword.iskeyword(name):
        raise ConfigError(f"{name!r} is a keyword of Python; choose another name, e.g. my_{name}")
    if name in sys.stdlib_module_names or importlib.util.find_spec(name) is not None:
        raise ConfigError(f"{name!r} would hide an installed module; choose another name, e.g. my_{name}")
    if name in installed("reflector" if kind == "learner" else cast("Literal['env', 'reflector', 'actor']", kind)):
        raise ConfigError(f"{kind} {name!r} already exists; choose another name, e.g. my_{name}")

"""Plug-in lookup: from a name on the command line to a class, for environments, models, actors and reflectors.

A bare name is looked up among the installed entry points; ictbench registers its own classes there too. A name of the
form `package.module:Name` is imported as it is. An entry point of `ictbench.suites` has the name of a suite, and its
value is the module or package next to whose file lies `NAME.yaml`.
"""

from __future__ import annotations

import difflib
import functools
import importlib
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any, Literal

from ictbench.errors import UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Iterable

Kind = Literal["env", "model", "actor", "reflector", "suite"]


def installed(kind: Kind) -> dict[str, str]:
    """Return the names in the entry-point group `ictbench.<kind>s`, each with its `package.module:Name`."""
    return {name: points[0].value for name, points in all_entry_points(kind).items()}


@functools.cache
def all_entry_points(kind: Kind) -> dict[str, list[EntryPoint]]:
    """Return the entry points of a group by name; several under one name are a conflict between distributions."""
    points: dict[str, list[EntryPoint]] = {}
    for point in entry_points(group=f"ictbench.{kind}s"):
        points.setdefault(point.name, []).append(point)
    return points


def resolve(kind: Kind, name: str) -> type[Any]:
    """Return the class that a name stands for. Only the module of that class is imported.

    Raises:
        UnknownNameError: Nothing of that name is installed, or its module or class cannot be imported.
    """
    target = name if ":" in name else installed(kind).get(name)
    if target is None:
        noun = "model provider" if kind == "model" else kind
        hint = suggest(name, installed(kind))
        # A likely typo needs no more.
        own = "" if hint.startswith("did") or kind == "suite" else "; a class of your own is named package.module:Class"
        raise UnknownNameError(f"unknown {noun} {name!r}; {hint}{own}")
    check_unique(kind, name)
    module_name, _, attribute = target.partition(":")
    if not all(part.isidentifier() for part in module_name.split(".")):
        raise UnknownNameError(f"{kind} {name!r}: {module_name!r} is not a module name; write package.module:Name")
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name and module_name.startswith(error.name):
            closest = difflib.get_close_matches(module_name, installed(kind), n=1)
            hint = (
                f"did you mean '{closest[0]}:{attribute}'?"
                if closest
                else "install its package (pip install -e FOLDER), or add the folder of the module to PYTHONPATH"
            )
            raise UnknownNameError(f"{kind} {name!r}: module {error.name!r} cannot be found; {hint}") from error
        raise UnknownNameError(f"{kind} {name!r}: importing {module_name!r} failed: {error}") from error
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        raise UnknownNameError(f"{kind} {name!r}: importing {module_name!r} failed: {reason}") from error
    value = getattr(module, attribute, None)
    if not isinstance(value, type):
        raise UnknownNameError(f"{kind} {name!r}: module {module_name!r} has no class {attribute!r}")
    return value


def check_unique(kind: Kind, name: str) -> None:
    """Check that only one distribution registers a name.

    Raises:
        UnknownNameError: Several do: which one is meant would depend on the order of the import path.
    """
    points = all_entry_points(kind).get(name, ())
    if len(points) > 1:
        providers = " and ".join(f"{point.dist.name if point.dist else '?'} ({point.value})" for point in points)
        raise UnknownNameError(
            f"{kind} {name!r} is registered by several packages: {providers}; uninstall one of them, or write "
            f"{'the path of its file' if kind == 'suite' else 'package.module:Name'}"
        )


def suggest(name: str, known: Iterable[str]) -> str:
    """Return the end of an error message about an unknown name: the closest known name, or all of them."""
    names = sorted(known)
    matches = difflib.get_close_matches(name, names, n=1)
    return f"did you mean {matches[0]!r}?" if matches else f"known: {', '.join(names) or 'none'}"

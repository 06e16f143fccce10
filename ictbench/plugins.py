"""Names to classes, lazily. One resolver serves environments, models, actors and reflectors.

A bare name is looked up among installed entry points (this package registers its own there too);
`package.module:Name` is imported as it stands.
"""

from __future__ import annotations

import difflib
import functools
import importlib
from importlib.metadata import entry_points
from typing import Any, Literal

from ictbench.errors import UnknownNameError

Kind = Literal["env", "model", "actor", "reflector"]


@functools.cache
def installed(kind: Kind) -> dict[str, str]:
    """Names installed under the entry-point group `ictbench.<kind>s`, with where each lives."""
    return {point.name: point.value for point in entry_points(group=f"ictbench.{kind}s")}


def resolve(kind: Kind, name: str) -> type[Any]:
    """The class that `name` stands for.

    Raises:
        UnknownNameError: nothing of that name is installed, or the module or attribute does not exist.
    """
    target = name if ":" in name else installed(kind).get(name)
    if target is None:
        noun = "model provider" if kind == "model" else kind
        raise UnknownNameError(f"unknown {noun} {name!r}; {suggest(name, installed(kind))}")
    module_name, _, attribute = target.partition(":")
    if not all(part.isidentifier() for part in module_name.split(".")):
        raise UnknownNameError(f"{kind} {name!r}: {module_name!r} is no name of a module")
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name and module_name.startswith(error.name):
            raise UnknownNameError(f"{kind} {name!r}: there is no module {error.name!r} to import") from error
        raise UnknownNameError(f"{kind} {name!r}: importing {module_name!r} failed: {error}") from error
    except Exception as error:
        said = f"{type(error).__name__}: {error}"
        raise UnknownNameError(f"{kind} {name!r}: importing {module_name!r} failed: {said}") from error
    found = getattr(module, attribute, None)
    if not isinstance(found, type):
        raise UnknownNameError(f"{kind} {name!r}: module {module_name!r} has no class {attribute!r}")
    return found


def suggest(name: str, known: object) -> str:
    """The end of an error line about an unknown name: the nearest known one, or all of them."""
    names = sorted(known)  # type: ignore[call-overload]
    near = difflib.get_close_matches(name, names, n=1)
    return f"did you mean {near[0]!r}?" if near else f"known: {', '.join(names) or 'none'}"

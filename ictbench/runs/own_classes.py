"""Classes of the caller's as actor, reflector or environment of `ictbench.run`."""

from __future__ import annotations

import hashlib
import inspect
from typing import TYPE_CHECKING, Any, Literal

from ictbench.errors import ConfigError, UnknownNameError
from ictbench.plugins import resolve

if TYPE_CHECKING:
    from collections.abc import Mapping

KINDS: tuple[Literal["actor", "reflector", "env"], ...] = ("actor", "reflector", "env")


def named_classes(options: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """Return options of a run in which names stand for classes, and the digest of the source of each class.

    A class keeps its name when its code changes, so a run is continued only with classes of the same source.

    Raises:
        ConfigError: A value is an instance, or a class that its name does not lead to, or that workers cannot import.
    """
    named, digests = dict(options), dict[str, str]()
    for kind in KINDS:
        value = options.get(kind)
        if value is None or isinstance(value, str):
            continue
        if not isinstance(value, type):
            cls = type(value)
            if cls.__module__ == "builtins":
                raise ConfigError(f"{kind} {value!r:.60} is neither a name nor a class; give one of them")
            raise ConfigError(
                f"{kind} is {value!r:.60}; give the class itself, e.g. {kind}={cls.__name__}: each process makes its "
                "own instance"
            )
        named[kind] = _name_of(kind, value)
        digests[kind] = _digest(value)
        if kind != "reflector" and value.__module__ == "__main__" and options.get("executor", "process") != "inline":
            raise ConfigError(
                f"{kind} {value.__name__} is defined in the main program or a notebook, which worker processes cannot "
                "import: add executor='inline', or move the class to a module"
            )
    return named, digests


def _name_of(kind: Literal["actor", "reflector", "env"], cls: type[Any]) -> str:
    name = f"{cls.__module__}:{cls.__qualname__}"
    try:
        found = resolve(kind, name)
    except UnknownNameError:
        found = None
    if found is not cls:
        raise ConfigError(f"{kind} {name} cannot be found by that name: define the class at the top of its module")
    return name


def _digest(cls: type[Any]) -> str:
    """Return a digest of the source of a class; of its name where the source is not at hand."""
    try:
        text = inspect.getsource(cls)
    except (OSError, TypeError):
        text = cls.__qualname__
    return hashlib.sha256(text.encode()).hexdigest()[:16]

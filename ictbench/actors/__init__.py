"""Actors: they play episodes under a prompt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ictbench.actors.actor import Actor, History
from ictbench.errors import UsageError
from ictbench.plugins import resolve

if TYPE_CHECKING:
    from ictbench.models import ChatModel
    from ictbench.records import PluginSpec

__all__ = ["Actor", "History", "make_actor"]


def make_actor(spec: PluginSpec, model: ChatModel | None) -> Actor:
    """The actor that `spec` describes, on an opened model where it has one.

    Raises:
        UsageError: it cannot be made.
    """
    found = resolve("actor", spec.name)
    if not issubclass(found, Actor):
        raise UsageError(f"actor {spec.label}: {found.__name__} is no subclass of ictbench.Actor")
    try:
        return found(model=model, **spec.options)
    except TypeError as error:
        raise UsageError(f"actor {spec.label} cannot be made: {error}") from error

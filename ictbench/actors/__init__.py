"""Actors: play episodes under a prompt, one action at a time."""

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
    """Create the actor of a specification.

    Args:
        spec: Name and options of the actor.
        model: An open model, for an actor that needs one.

    Raises:
        UsageError: The class is unknown or is not an actor, or an option is wrong.
    """
    actor_class = resolve("actor", spec.name)
    if not issubclass(actor_class, Actor):
        raise UsageError(f"actor {spec.label}: {actor_class.__name__} is not a subclass of ictbench.Actor")
    try:
        return actor_class(model=model, **spec.options)
    except TypeError as error:
        raise UsageError(f"actor {spec.label} cannot be created: {error}") from error

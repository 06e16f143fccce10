"""Actors: play episodes under a prompt, one action at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ictbench.actors.actor import Actor, History
from ictbench.plugin_errors import check_base, create
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
        PluginError: Its constructor fails.
    """
    cls = resolve("actor", spec.name)
    check_base(f"actor {spec.label}", cls, Actor)
    actor: Actor = create(f"actor {spec.label}", cls, model=model, **spec.options)
    return actor

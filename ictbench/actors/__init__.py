"""Actors: they play episodes under a prompt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ictbench.actors.contract import Actor, History
from ictbench.resolve import resolve

if TYPE_CHECKING:
    from ictbench.models import ChatModel
    from ictbench.records import PluginSpec

__all__ = ["Actor", "History", "make_actor"]


def make_actor(spec: PluginSpec, model: ChatModel | None) -> Actor:
    """The actor that `spec` describes, on an opened model where it has one."""
    actor: Actor = resolve("actor", spec.name)(model=model, **spec.options)
    return actor

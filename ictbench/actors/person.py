"""A person as an actor: records name it, and no program can create it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ictbench.records import PluginSpec
from ictbench.visible_text import one_line

if TYPE_CHECKING:
    from pydantic import JsonValue

HUMAN = "human"
"""Name and label of the actor. It is no entry point, since only `ictbench play` has a person to ask."""

MAX_NAME = 60
"""Maximum characters of a player's name that are shown."""

MEMORY = "is a person, who remembers earlier episodes"


def person(name: str = "") -> PluginSpec:
    """Return the actor of a person; `name` is optional, since a result may be published."""
    options: dict[str, JsonValue] = {"player": name} if name else {}
    return PluginSpec(label=HUMAN, name=HUMAN, options=options)


def is_person(actor: PluginSpec) -> bool:
    """Return whether the actor is a person."""
    return actor.name == HUMAN


def name_of(actor: PluginSpec) -> str:
    """Return the name of the person, which a stranger may have written; empty if none is recorded."""
    name = actor.options.get("player")
    return one_line(name)[:MAX_NAME] if isinstance(name, str) else ""

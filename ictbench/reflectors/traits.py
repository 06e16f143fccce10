"""On which terms a reflector takes part, known before it is made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ictbench.errors import ConfigError, UsageError
from ictbench.models.checkpoint_card import find_card
from ictbench.plugins import resolve
from ictbench.records import PluginSpec
from ictbench.reflectors.reflector import Reflector

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ictbench.reflectors.reflector import Experience


@dataclass(frozen=True, slots=True)
class Traits:
    """What an arm learns from, what it may hold, and whether it is a control."""

    experience: Experience
    prompt_cap: int | None
    """In UTF-8 bytes; None for the suite's."""
    control: str
    """Why it is never ranked; empty if it may be."""
    trained_on: tuple[str, ...] | None
    """What the reflector, or its model's card, says of itself."""


def traits_of(spec: PluginSpec) -> Traits:
    """The terms of a reflector, together with those of the reflectors inside where it wraps some.

    What a checkpoint was trained on, its card says.

    Raises:
        UsageError: it is no reflector, wraps one whose experience is not the usual, or its model's card is missing.
    """
    classes = list(_from_outside_in(spec))
    outermost, innermost = classes[0], classes[-1]
    for found in classes[1:]:
        if found.experience != "fresh":
            raise ConfigError(
                f"reflector {spec.label}: nothing can be wrapped around {found.__name__}: {found.control}"
            )
    card = find_card(spec.model) if spec.model else None
    return Traits(
        experience=outermost.experience,
        prompt_cap=next((found.prompt_cap for found in classes if found.prompt_cap is not None), None),
        control="; ".join(found.control for found in classes if found.control),
        trained_on=card.trained_on if card else innermost.trained_on,
    )


def class_of(spec: PluginSpec) -> type[Reflector]:
    """The class that a spec names.

    Raises:
        UsageError: there is none, or it is no reflector.
    """
    found = resolve("reflector", spec.name)
    if not issubclass(found, Reflector):
        raise UsageError(f"reflector {spec.label}: {found.__name__} is no subclass of ictbench.Reflector")
    return found


def _from_outside_in(spec: PluginSpec) -> Iterator[type[Reflector]]:
    found = class_of(spec)
    yield found
    if found.wraps:
        yield from _from_outside_in(PluginSpec.model_validate(spec.options["reflector"]))

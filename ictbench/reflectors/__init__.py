"""Reflectors: they turn a prompt and finished trajectories into the next prompt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ictbench.errors import UsageError
from ictbench.reflectors.reflector import Context, Experience, Play, Reflector
from ictbench.reflectors.traits import Traits, class_of, traits_of

if TYPE_CHECKING:
    from ictbench.models import ChatModel
    from ictbench.records import PluginSpec

__all__ = ["Context", "Experience", "Play", "Reflector", "Traits", "make_reflector", "traits_of"]


def make_reflector(spec: PluginSpec, model: ChatModel | None) -> Reflector:
    """The reflector that `spec` describes, on an opened model where it has one.

    Raises:
        UsageError: it cannot be made.
    """
    try:
        return class_of(spec)(model=model, **spec.options)
    except TypeError as error:
        raise UsageError(f"reflector {spec.label} cannot be made: {error}") from error

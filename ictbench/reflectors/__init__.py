"""Reflectors: they read finished episodes and rewrite the prompt under which they were played."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ictbench.errors import UsageError
from ictbench.reflectors.reflector import BatchPlayer, Context, Experience, Reflector
from ictbench.reflectors.traits import Traits, reflector_class, traits_of

if TYPE_CHECKING:
    from ictbench.models import ChatModel
    from ictbench.records import PluginSpec

__all__ = ["BatchPlayer", "Context", "Experience", "Reflector", "Traits", "make_reflector", "traits_of"]


def make_reflector(spec: PluginSpec, model: ChatModel | None) -> Reflector:
    """Return the reflector of a specification.

    Args:
        spec: Its class and options.
        model: Its opened language model, if it has one.

    Raises:
        UsageError: The class is unknown or refuses the model or options.
    """
    try:
        return reflector_class(spec)(model=model, **spec.options)
    except TypeError as error:
        raise UsageError(f"cannot create reflector {spec.label}: {error}") from error

"""Reflectors: they read finished episodes and rewrite the prompt under which they were played."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ictbench.plugin_errors import create
from ictbench.reflectors.reflector import OWN_EPISODES, BatchPlayer, Context, Experience, Reflector
from ictbench.reflectors.traits import Traits, reflector_class, traits_of

if TYPE_CHECKING:
    from ictbench.models import ChatModel
    from ictbench.records import PluginSpec

__all__ = ["OWN_EPISODES", "BatchPlayer", "Context", "Experience", "Reflector", "Traits", "make_reflector", "traits_of"]


def make_reflector(spec: PluginSpec, model: ChatModel | None) -> Reflector:
    """Return the reflector of a specification.

    Args:
        spec: Its class and options.
        model: Its opened language model, if it has one.

    Raises:
        UsageError: The class is unknown or refuses the model or options.
        PluginError: Its constructor fails.
    """
    reflector: Reflector = create(f"reflector {spec.label}", reflector_class(spec), model=model, **spec.options)
    return reflector

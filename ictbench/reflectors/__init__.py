"""Reflectors: they turn a prompt and finished trajectories into the next prompt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ictbench.errors import UsageError
from ictbench.reflectors.contract import Context, Reflector
from ictbench.resolve import resolve

if TYPE_CHECKING:
    from ictbench.models import ChatModel
    from ictbench.records import PluginSpec

__all__ = ["Context", "Reflector", "make_reflector"]


def make_reflector(spec: PluginSpec, model: ChatModel | None) -> Reflector:
    """The reflector that `spec` describes, on an opened model where it has one.

    Raises:
        UsageError: it cannot be made.
    """
    found = resolve("reflector", spec.name)
    if not issubclass(found, Reflector):
        raise UsageError(f"reflector {spec.label}: {found.__name__} is no subclass of ictbench.Reflector")
    try:
        return found(model=model, **spec.options)
    except TypeError as error:
        raise UsageError(f"reflector {spec.label} cannot be made: {error}") from error

"""Reflectors: they turn a prompt and finished trajectories into the next prompt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ictbench.reflectors.contract import Context, Reflector
from ictbench.resolve import resolve

if TYPE_CHECKING:
    from ictbench.models import ChatModel
    from ictbench.records import PluginSpec

__all__ = ["Context", "Reflector", "make_reflector"]


def make_reflector(spec: PluginSpec, model: ChatModel | None) -> Reflector:
    """The reflector that `spec` describes, on an opened model where it has one."""
    reflector: Reflector = resolve("reflector", spec.name)(model=model, **spec.options)
    return reflector

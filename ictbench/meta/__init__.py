"""The benchmark's world as a Gymnasium environment whose action is a system prompt, and the player behind it.

Names are loaded when they are first used: the player needs no Gymnasium.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ictbench.meta.batch import Batch
    from ictbench.meta.env import MetaEnv
    from ictbench.meta.player import Player

_HOMES = {"Batch": "batch", "MetaEnv": "env", "Player": "player"}

__all__ = ["Batch", "MetaEnv", "Player"]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"ictbench.meta.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

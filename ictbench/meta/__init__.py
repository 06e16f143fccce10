"""The benchmark's world as a Gymnasium environment whose action is a system prompt.

Importing it registers the environments' ids where Gymnasium is installed; names are loaded when they are first used.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from ictbench.meta.registration import register_envs

if TYPE_CHECKING:
    from ictbench.meta.meta_env import MetaEnv
    from ictbench.meta.played_batch import Batch

_HOMES = {"Batch": "played_batch", "MetaEnv": "meta_env"}

__all__ = ["Batch", "MetaEnv"]

if find_spec("gymnasium"):
    register_envs()


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"ictbench.meta.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

"""Gymnasium environment whose action is a system prompt.

Importing this package registers the environment ids if Gymnasium is installed. Names are imported on first use.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from ictbench.meta.registration import register_envs

if TYPE_CHECKING:
    from ictbench.meta.meta_env import MetaEnv
    from ictbench.meta.played_batch import Batch

_MODULES = {"Batch": "played_batch", "MetaEnv": "meta_env"}

__all__ = ["Batch", "MetaEnv"]

if find_spec("gymnasium"):
    register_envs()


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return getattr(import_module(f"ictbench.meta.{_MODULES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

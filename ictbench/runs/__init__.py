"""Runs of the protocol: options, plan, session, run folder. Names are loaded when they are first used."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ictbench.runs.api import Run, dry_run, load_result, load_run, run
    from ictbench.runs.loop_rollout import LoopPlayer, LoopRewards, LoopRollout
    from ictbench.runs.progress import Progress
    from ictbench.runs.sync_player import EpisodePlayer

_MODULES = {
    "EpisodePlayer": "sync_player",
    "LoopPlayer": "loop_rollout",
    "LoopRewards": "loop_rollout",
    "LoopRollout": "loop_rollout",
    "Progress": "progress",
    "Run": "api",
    "dry_run": "api",
    "load_result": "api",
    "load_run": "api",
    "run": "api",
}

__all__ = [
    "EpisodePlayer",
    "LoopPlayer",
    "LoopRewards",
    "LoopRollout",
    "Progress",
    "Run",
    "dry_run",
    "load_result",
    "load_run",
    "run",
]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return getattr(importlib.import_module(f"ictbench.runs.{_MODULES[name]}"), name)
    raise AttributeError(f"module 'ictbench.runs' has no attribute {name!r}")

"""Test doubles for language models: the one part of the benchmark that a test need not have for real."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ictbench.testing.scripted import Latency, Reply, react_policy

if TYPE_CHECKING:
    from ictbench.testing.server import ScriptedServer

__all__ = ["Latency", "Reply", "ScriptedServer", "react_policy"]


def __getattr__(name: str) -> Any:
    # `python -m ictbench.testing.server` must not find its own module imported already.
    if name == "ScriptedServer":
        from ictbench.testing.server import ScriptedServer

        return ScriptedServer
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

"""Test doubles for language models, and conformance checks for authors of plug-ins."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ictbench.testing.faults import Fault, Faults
from ictbench.testing.scripted_replies import Latency, Reply, react_policy

if TYPE_CHECKING:
    from ictbench.testing.actor_checks import check_actor
    from ictbench.testing.env_checks import check_env
    from ictbench.testing.model_checks import check_failures, check_model, obedient
    from ictbench.testing.reflector_checks import check_reflector
    from ictbench.testing.scripted_server import ScriptedServer
    from ictbench.testing.server_zoo import PERSONALITIES, Personality
    from ictbench.testing.serving import serve

__all__ = [
    "PERSONALITIES",
    "Fault",
    "Faults",
    "Latency",
    "Personality",
    "Reply",
    "ScriptedServer",
    "check_actor",
    "check_env",
    "check_failures",
    "check_model",
    "check_reflector",
    "obedient",
    "react_policy",
    "serve",
]

# Lazy: `python -m ictbench.testing.scripted_server` warns if importing the package already imported that module.
_LAZY = {
    "PERSONALITIES": "ictbench.testing.server_zoo",
    "Personality": "ictbench.testing.server_zoo",
    "ScriptedServer": "ictbench.testing.scripted_server",
    "check_actor": "ictbench.testing.actor_checks",
    "check_env": "ictbench.testing.env_checks",
    "check_failures": "ictbench.testing.model_checks",
    "check_model": "ictbench.testing.model_checks",
    "check_reflector": "ictbench.testing.reflector_checks",
    "obedient": "ictbench.testing.model_checks",
    "serve": "ictbench.testing.serving",
}


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

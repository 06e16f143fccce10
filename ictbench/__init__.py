"""ictbench: evaluation of in-context training of language agents.

Everything that the command line does is also a function here. Names are loaded when they are first used.
"""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Any

from ictbench._version import __version__

if TYPE_CHECKING:
    from ictbench.actors import Actor, History
    from ictbench.audit.verify import verify
    from ictbench.campaigns import Campaign, campaign, load_campaign
    from ictbench.envs import TextEnv
    from ictbench.errors import IctbenchError, RunError, UsageError
    from ictbench.exports import export
    from ictbench.meta import MetaEnv
    from ictbench.models import ChatModel
    from ictbench.records import Candidate, Decision, Episode, Observation, Reflection, Task, Trajectory
    from ictbench.reflectors import Context, Reflector
    from ictbench.results import Check, Comparison, Power, Result
    from ictbench.runs import Progress, Run, dry_run, load_result, load_run, run
    from ictbench.runs.sources import check, compare, power
    from ictbench.suites import Suite, list_suites, load_suite
    from ictbench.web.report import write_report

_MODULES = {
    "Actor": "actors",
    "Campaign": "campaigns",
    "Candidate": "records",
    "ChatModel": "models",
    "Check": "results",
    "Comparison": "results",
    "Context": "reflectors",
    "Decision": "records",
    "Episode": "records",
    "History": "actors",
    "IctbenchError": "errors",
    "MetaEnv": "meta",
    "Observation": "records",
    "Power": "results",
    "Progress": "runs",
    "Reflection": "records",
    "Reflector": "reflectors",
    "Result": "results",
    "Run": "runs",
    "RunError": "errors",
    "Suite": "suites",
    "Task": "records",
    "TextEnv": "envs",
    "Trajectory": "records",
    "UsageError": "errors",
    "campaign": "campaigns",
    "check": "runs.sources",
    "compare": "runs.sources",
    "dry_run": "runs",
    "export": "exports",
    "list_suites": "suites",
    "load_campaign": "campaigns",
    "load_result": "runs",
    "load_run": "runs",
    "load_suite": "suites",
    "power": "runs.sources",
    "run": "runs",
    "verify": "audit.verify",
    "write_report": "web.report",
}

__all__ = [
    "Actor",
    "Campaign",
    "Candidate",
    "ChatModel",
    "Check",
    "Comparison",
    "Context",
    "Decision",
    "Episode",
    "History",
    "IctbenchError",
    "MetaEnv",
    "Observation",
    "Power",
    "Progress",
    "Reflection",
    "Reflector",
    "Result",
    "Run",
    "RunError",
    "Suite",
    "Task",
    "TextEnv",
    "Trajectory",
    "UsageError",
    "__version__",
    "campaign",
    "check",
    "compare",
    "dry_run",
    "export",
    "list_suites",
    "load_campaign",
    "load_result",
    "load_run",
    "load_suite",
    "power",
    "run",
    "verify",
    "write_report",
]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return getattr(importlib.import_module(f"ictbench.{_MODULES[name]}"), name)
    raise AttributeError(f"module 'ictbench' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__


if sys.modules.get("gymnasium"):
    # Register the ids of the meta-environments, if Gymnasium is already imported; importing it here would take long.
    importlib.import_module("ictbench.meta")

"""A run of `gepa-loop` whose model proposes rules that the scripted actor obeys."""

from __future__ import annotations

import atexit
import functools
import shutil
import tempfile
from pathlib import Path
from typing import Any

import ictbench
from ictbench.testing import ScriptedServer

RULES = ('- Walk onto "%".', '- When you see "see here", choose "eat".', '- After you have seen "wand", choose "zap".')
"""The first solves some episodes of the family `eat`, with the second all are solved."""

OPTIONS: dict[str, Any] = {
    "env": "minihack",
    "families": "eat",
    "loops": 1,
    "turns": 6,
    "batch_size": 2,
    "selection_size": 3,
    "test_size": 4,
    "executor": "inline",
    "actor": "rules",
    "reflector": "gepa-loop:openai/m",
}


def propose(body: dict[str, Any]) -> str:
    """Answer with the prompt in the request and the first rule that it lacks."""
    prompt = body["messages"][-1]["content"].partition("System prompt:\n")[2].partition("\n\nEpisodes:\n")[0]
    new = next((rule for rule in RULES if rule not in prompt), "- Do nothing rash.")
    return f"I add a rule.\n```\n{prompt}\n{new}\n```"


@functools.cache
def optimised_run() -> ictbench.Run:
    folder = Path(tempfile.mkdtemp(prefix="ictbench-optimised-run-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    with ScriptedServer(propose, model="m") as server:
        return ictbench.run(**OPTIONS, reflector_base_url=server.url, out=folder / "run")

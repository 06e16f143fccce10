"""Scripted actor that replays the decisions of a recorded episode."""

from __future__ import annotations

import functools
import json
from typing import TYPE_CHECKING

from ictbench.actors import Actor
from ictbench.records import Decision, PluginSpec

if TYPE_CHECKING:
    from ictbench.actors import History


class ReplayActor(Actor):
    """Follows a script: its prompt is a JSON list that holds the proposal of each decision, null for none."""

    cpu_bound = True

    async def act(self, prompt: str, history: History, seed: int) -> Decision:
        """Return the decision that the script has at this point."""
        return _decision(_script(prompt)[len(history.steps)])


REPLAY_ACTOR = PluginSpec(label="replay", name=f"{__name__}:{ReplayActor.__name__}")


@functools.lru_cache(maxsize=8)
def _script(prompt: str) -> list[str | None]:
    script: list[str | None] = json.loads(prompt)
    return script


@functools.lru_cache(maxsize=1024)
def _decision(proposal: str | None) -> Decision:
    return Decision(action=proposal)

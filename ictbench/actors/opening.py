"""Actor that only shows how a task begins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ictbench.actors.actor import Actor
from ictbench.records import Decision, EpisodeSpec, PluginSpec, Task

if TYPE_CHECKING:
    from ictbench.actors.actor import History


class OpeningActor(Actor):
    """Proposes no action, so that nothing changes: its episode of one decision holds the first observation."""

    cpu_bound = True
    deterministic = True

    async def act(self, prompt: str, history: History, seed: int) -> Decision:
        """Return a decision without an action."""
        return Decision(action=None)


OPENING_ACTOR = PluginSpec(label="opening", name=f"{__name__}:{OpeningActor.__name__}")


def opening_spec(task: Task) -> EpisodeSpec:
    """Return the episode whose only step holds the first observation of a task and its available actions."""
    return EpisodeSpec(task=task, prompt="", actor=OPENING_ACTOR, max_steps=1, seed=0)

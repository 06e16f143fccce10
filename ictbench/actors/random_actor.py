"""The random player: the floor of a suite, and a sample of what a model is shown before one is asked."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from ictbench.actors.actor import Actor
from ictbench.records import Decision

if TYPE_CHECKING:
    from ictbench.actors.actor import History


class RandomActor(Actor):
    """Actor that chooses each available action with equal probability and ignores the prompt."""

    cpu_bound = True
    trained_on = ()

    async def act(self, prompt: str, history: History, seed: int) -> Decision:
        """Return an action that depends on the seed and the number of the decision only."""
        if not history.actions:
            return Decision(action=None)
        return Decision(action=random.Random(f"{seed} {len(history.steps)}").choice(history.actions))

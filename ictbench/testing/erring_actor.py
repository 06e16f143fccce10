"""Actor that makes mistakes on purpose, for the conformance check of environments."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from ictbench.actors import Actor
from ictbench.records import Decision

if TYPE_CHECKING:
    from ictbench.actors import History


class ErringActor(Actor):
    """Alternates between an available action, in capitals with extra spaces, and no or an unknown action."""

    cpu_bound = True

    async def act(self, prompt: str, history: History, seed: int) -> Decision:
        """See the class."""
        number = len(history.steps)
        if number % 2:
            return Decision(action=None if number % 4 == 1 else "no such action")
        action = random.Random(f"{seed}:{number}").choice(history.actions)
        return Decision(action=f"  {action.upper()} ".replace(" ", "  "))

"""The solver: an actor that is told the solution. It is the ceiling, the proof that tasks can be solved."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ictbench.actors.actor import Actor
from ictbench.records import Decision

if TYPE_CHECKING:
    from ictbench.actors.actor import History


class SolverActor(Actor):
    """Carries out what the environment's own `solve` says, whatever the prompt says."""

    only_computes = True
    sees_solution = True

    async def act(self, prompt: str, history: History, seed: int) -> Decision:
        """The next action of the solution; none once it is used up."""
        done = len(history.steps)
        left = history.solution[done:]
        return Decision(action=left[0] if left else None, thought=f"{len(left)} to go.")

"""The solver: an actor that is given the solution. It is the upper bound, and shows that tasks can be solved."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ictbench.actors.actor import Actor
from ictbench.records import Decision

if TYPE_CHECKING:
    from ictbench.actors.actor import History


class SolverActor(Actor):
    """Actor that carries out the solution of the environment's `solve` and ignores the prompt."""

    cpu_bound = True
    trained_on = ()
    deterministic = True
    sees_solution = True

    async def act(self, prompt: str, history: History, seed: int) -> Decision:
        """Return the next action of the solution, no action after its end."""
        remaining = history.solution[len(history.steps) :]
        return Decision(action=remaining[0] if remaining else None, thought=f"{len(remaining)} to go.")

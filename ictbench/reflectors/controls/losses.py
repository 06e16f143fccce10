"""Control: shows a reflector only the episodes that were not solved."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ictbench.records import Reflection
from ictbench.reflectors.controls.wrapper import WrapperReflector

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import JsonValue

    from ictbench.records import Trajectory
    from ictbench.reflectors.reflector import Context


class LossesReflector(WrapperReflector):
    """Leaves solved episodes out, and keeps the prompt if none is left.

    What this arm gains, the inner reflector learns from failure.
    """

    control = "it is shown no solved episode"
    varies = "outcomes"

    async def reflect(
        self, prompt: str, trajectories: Sequence[Trajectory], state: JsonValue, context: Context
    ) -> Reflection:
        """Return what the inner reflector returns for the unsolved episodes."""
        lost = tuple(trajectory for trajectory in trajectories if not trajectory.solved)
        if trajectories and not lost:
            return Reflection(prompt=prompt, state=state)
        return await self.ask_inner(prompt, lost, state, context)

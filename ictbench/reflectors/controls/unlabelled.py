"""Control: hides from a reflector how episodes ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ictbench.reflectors.controls.wrapper import WrapperReflector
from ictbench.reflectors.unlabelled_trajectory import UnlabelledTrajectory

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import JsonValue

    from ictbench.records import Reflection, Trajectory
    from ictbench.reflectors.reflector import Context


class UnlabelledReflector(WrapperReflector):
    """Shows the inner reflector the beginnings of the episodes, without success marks, rewards, and ends.

    All episodes of a batch are cut to the same number of decisions, one less than the shortest has, so that neither
    lengths nor last screens tell which of them were solved. That number is all that is left of the ends: it tells that
    some episode of the batch was short.
    """

    control = "it is not shown how episodes ended"
    varies = "outcomes"
    ignores = "outcomes"

    async def reflect(
        self, prompt: str, trajectories: Sequence[Trajectory], state: JsonValue, context: Context
    ) -> Reflection:
        """Return what the inner reflector returns for the beginnings of the episodes."""
        return await self.ask_inner(prompt, without_outcomes(trajectories), state, context)


def without_outcomes(trajectories: Sequence[Trajectory]) -> tuple[UnlabelledTrajectory, ...]:
    """Return the beginnings of episodes, of equal length, without outcomes."""
    length = min((len(trajectory.steps) for trajectory in trajectories), default=0)
    return tuple(_beginning(trajectory, max(length - 1, 0)) for trajectory in trajectories)


def _beginning(trajectory: Trajectory, length: int) -> UnlabelledTrajectory:
    """Return the first decisions of an episode, and the screen that followed them."""
    after = trajectory.steps[length] if length < len(trajectory.steps) else None
    return UnlabelledTrajectory(
        steps=tuple(step.model_copy(update={"reward": 0.0}) for step in trajectory.steps[:length]),
        # An episode without a decision failed before it began: its only screen is the first one.
        last_observation=after.observation if after else trajectory.last_observation,
        last_digest=after.digest if after else trajectory.last_digest,
    )

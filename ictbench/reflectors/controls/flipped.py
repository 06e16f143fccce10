"""Control: tells a reflector the opposite of how each episode ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ictbench.reflectors.controls.wrapper import WrapperReflector

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import JsonValue

    from ictbench.records import Reflection, Trajectory
    from ictbench.reflectors.reflector import Context


class FlippedReflector(WrapperReflector):
    """Shows the inner reflector solved episodes as unsolved, and unsolved ones as solved.

    Success marks, ends and rewards are inverted; everything else, the lengths included, stays.
    """

    control = "it is told the opposite of how each episode ended"
    varies = "outcomes"

    async def reflect(
        self, prompt: str, trajectories: Sequence[Trajectory], state: JsonValue, context: Context
    ) -> Reflection:
        """Return what the inner reflector returns for episodes with inverted outcomes."""
        return await self.ask_inner(prompt, tuple(map(flip, trajectories)), state, context)


def flip(trajectory: Trajectory) -> Trajectory:
    """Return an episode with the opposite outcome: a reward of 1 for its last action, or no reward at all.

    A solved episode becomes one that the environment ended: it is as short, and its last action ended it.
    """
    steps = [step.model_copy(update={"reward": 0.0}) for step in trajectory.steps]
    if not trajectory.solved and steps:
        steps[-1] = steps[-1].model_copy(update={"reward": 1.0})
    return trajectory.model_copy(
        update={"steps": tuple(steps), "end": "env_ended" if trajectory.solved else "solved", "failure": None}
    )

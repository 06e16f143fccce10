"""The control that rewrites without experience."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ictbench.reflectors.controls.wrapper import WrapperReflector

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import JsonValue

    from ictbench.records import Reflection, Trajectory
    from ictbench.reflectors.reflector import Context


class BlindReflector(WrapperReflector):
    """Lets another reflector rewrite the prompt and shows it no trajectory.

    Choosing the best of N + 1 wordings gains something by itself: this is how much.
    """

    control = "it is shown no trajectory"

    async def reflect(
        self, prompt: str, trajectories: Sequence[Trajectory], state: JsonValue, context: Context
    ) -> Reflection:
        """What the other reflector answers to nothing but the prompt."""
        return await self.inside.reflect(prompt, (), state, context)

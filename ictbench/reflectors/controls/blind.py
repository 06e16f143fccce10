"""Control: shows a reflector the current prompt and hides all episodes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ictbench.reflectors.controls.wrapper import WrapperReflector

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import JsonValue

    from ictbench.records import Reflection, Trajectory
    from ictbench.reflectors.reflector import Context


class BlindReflector(WrapperReflector):
    """Shows the inner reflector the prompt but no trajectories.

    Choosing the best of N + 1 wordings improves a prompt even without experience. This control measures by how much.
    """

    control = "it is shown no trajectory"
    ignores = "episodes"

    async def reflect(
        self, prompt: str, trajectories: Sequence[Trajectory], state: JsonValue, context: Context
    ) -> Reflection:
        """Return what the inner reflector returns for an empty batch."""
        return await self.ask_inner(prompt, (), state, context)

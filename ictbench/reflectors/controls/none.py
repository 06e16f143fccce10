"""Baseline: keeps `prompt[0]` in every turn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ictbench.records import Reflection
from ictbench.reflectors.reflector import Context, Reflector

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import JsonValue

    from ictbench.records import Trajectory


class NoneReflector(Reflector):
    """Returns the prompt unchanged and ignores the episodes."""

    trained_on = ()
    ignores = "episodes"

    async def reflect(
        self, prompt: str, trajectories: Sequence[Trajectory], state: JsonValue, context: Context
    ) -> Reflection:
        """Return the same prompt."""
        return Reflection(prompt=prompt, state=state)

"""The control that learns nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ictbench.records import Reflection
from ictbench.reflectors.reflector import Context, Reflector

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import JsonValue

    from ictbench.records import Trajectory


class NoneReflector(Reflector):
    """Answers the prompt unchanged."""

    trained_on = ()

    async def reflect(
        self, prompt: str, trajectories: Sequence[Trajectory], state: JsonValue, context: Context
    ) -> Reflection:
        """The same prompt again."""
        return Reflection(prompt=prompt, state=state)

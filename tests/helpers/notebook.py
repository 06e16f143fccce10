"""A reflector whose state grows with every reply of its model."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from ictbench import Reflection
from ictbench.reflectors.llm.llm_reflector import LLMReflector

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import JsonValue

    from ictbench import Context, Trajectory

NOTEBOOK = "notebook:Notebook"
"""Its name, as `--reflector` takes it where `tests/helpers` can be imported."""


class Notebook(LLMReflector):
    """Tells its model how many notes there are, and writes the reply below them."""

    async def revise(
        self, prompt: str, trajectories: Sequence[Trajectory], state: JsonValue, context: Context
    ) -> Reflection:
        notes = cast("list[str]", state or [])
        experience = self.experience_text(prompt, trajectories, context)
        completion = await self.ask("Write a note.", f"NOTES: {len(notes)}\n\n{experience}", context)
        kept = [*notes, completion.text]
        return Reflection(prompt="\n".join(kept), state=[*kept], usage=completion.usage)

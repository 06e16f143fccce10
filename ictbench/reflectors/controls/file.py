"""Control: uses one hand-written prompt in every turn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ictbench.errors import ConfigError
from ictbench.records import Reflection
from ictbench.reflectors.reflector import Context, Reflector

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import JsonValue

    from ictbench.models import ChatModel
    from ictbench.records import Trajectory


class FileReflector(Reflector):
    """Returns its option `text` in every turn and ignores the episodes."""

    trained_on = ()
    ignores = "episodes"
    control = "its prompt was written by a person"

    def __init__(self, model: ChatModel | None = None, *, text: JsonValue = None, **options: Any) -> None:
        """Store the prompt.

        Raises:
            ConfigError: `text` is missing, blank, or not a string.
        """
        super().__init__(model, **options)
        if not isinstance(text, str) or not text.strip():
            raise ConfigError(
                f"reflector 'file' needs a prompt: write file:PATH, or set option 'text' to the prompt, not {text!r}"
            )
        self._text = text

    async def reflect(
        self, prompt: str, trajectories: Sequence[Trajectory], state: JsonValue, context: Context
    ) -> Reflection:
        """Return the hand-written prompt, or the failure `too_long` if it exceeds the cap."""
        if len(self._text.encode()) > context.prompt_cap:
            return Reflection(prompt=None, failure="too_long", state=state)
        return Reflection(prompt=self._text, state=state)

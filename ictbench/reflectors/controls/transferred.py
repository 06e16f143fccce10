"""Control: hands out prompts that were learned with another actor, so that this actor plays them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ictbench.errors import ConfigError, PluginError
from ictbench.records import Reflection
from ictbench.reflectors.reflector import Context, Reflector

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import JsonValue

    from ictbench.models import ChatModel
    from ictbench.records import Trajectory


class TransferredReflector(Reflector):
    """Returns the last prompt of the recorded loop in turn 1 and its best prompt in turn 2; ignores the episodes."""

    ignores = "episodes"
    control = "its prompts were learned with another actor"

    def __init__(
        self,
        model: ChatModel | None = None,
        *,
        source: JsonValue = None,
        learned: JsonValue = None,
        prompts: JsonValue = None,
        **options: Any,
    ) -> None:
        """Store the prompts.

        Args:
            model: None.
            source: Checksum of the result that the prompts come from.
            learned: Labels of its actor and its reflector.
            prompts: Last and best prompt of each recorded loop, by the loop's seed as text.
            options: None are allowed.

        Raises:
            ConfigError: There are no prompts.
        """
        super().__init__(model, **options)
        if not isinstance(source, str) or not isinstance(prompts, dict) or not prompts:
            raise ConfigError("reflector 'transferred' needs the prompts of a finished run: write transferred:RUN")
        self._prompts = prompts

    async def reflect(
        self, prompt: str, trajectories: Sequence[Trajectory], state: JsonValue, context: Context
    ) -> Reflection:
        """Return the recorded prompt of this turn."""
        recorded = self._prompts.get(str(context.loop_seed))
        if not isinstance(recorded, list) or len(recorded) != 2 or context.turn > 2:
            raise PluginError(f"reflector 'transferred' has no prompt for turn {context.turn} of this loop")
        return Reflection(prompt=str(recorded[context.turn - 1]), state=state)

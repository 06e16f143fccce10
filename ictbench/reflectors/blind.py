"""The control that rewrites without experience."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from ictbench.errors import ConfigError
from ictbench.records import PluginSpec
from ictbench.reflectors import make_reflector
from ictbench.reflectors.contract import Context, Reflector

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import JsonValue

    from ictbench.models import ChatModel
    from ictbench.records import Reflection, Trajectory


class BlindReflector(Reflector):
    """Lets another reflector rewrite the prompt and shows it no trajectory.

    Choosing the best of N + 1 wordings gains something by itself: this is how much. Its option `reflector` is the
    spec of the other one, without the model.
    """

    def __init__(self, model: ChatModel | None = None, *, reflector: JsonValue = None, **options: Any) -> None:
        """Make the other reflector, on the same model.

        Raises:
            UsageError: it is not named, or cannot be made.
        """
        super().__init__(model, **options)
        try:
            spec = PluginSpec.model_validate(reflector)
        except ValidationError as error:
            raise ConfigError("the reflector 'blind' blinds another: name it, e.g. blind:rules") from error
        self._seeing = make_reflector(spec, model)
        self.instruction = self._seeing.instruction

    async def reflect(
        self, prompt: str, trajectories: Sequence[Trajectory], state: JsonValue, context: Context
    ) -> Reflection:
        """What the other reflector answers to nothing but the prompt."""
        return await self._seeing.reflect(prompt, (), state, context)

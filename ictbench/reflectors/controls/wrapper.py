"""Reflectors around another reflector: the same one on other terms, so that a comparison shows what these are worth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import ValidationError

from ictbench.errors import ConfigError
from ictbench.records import PluginSpec
from ictbench.reflectors import make_reflector
from ictbench.reflectors.reflector import Context, Reflector

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import JsonValue

    from ictbench.models import ChatModel
    from ictbench.records import Reflection, Trajectory


class WrapperReflector(Reflector):
    """Lets the reflector inside answer. Its option `reflector` is the spec of that one, without the model."""

    wraps: ClassVar[bool] = True

    def __init__(self, model: ChatModel | None = None, *, reflector: JsonValue = None, **options: Any) -> None:
        """Make the reflector inside, on the same model.

        Raises:
            UsageError: it is not named, or cannot be made.
        """
        super().__init__(model, **options)
        try:
            spec = PluginSpec.model_validate(reflector)
        except ValidationError as error:
            raise ConfigError(
                f"{type(self).__name__} wraps another reflector: its option 'reflector' is the spec of that one, "
                f"not {reflector!r:.80}"
            ) from error
        self.inside = make_reflector(spec, model)
        self.instruction = self.inside.instruction

    async def reflect(
        self, prompt: str, trajectories: Sequence[Trajectory], state: JsonValue, context: Context
    ) -> Reflection:
        """What the reflector inside answers."""
        return await self.inside.reflect(prompt, trajectories, state, context)

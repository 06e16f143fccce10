"""Base class of reflectors that change the conditions under which another reflector works."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import ValidationError

from ictbench.errors import ConfigError
from ictbench.plugin_errors import awaitable
from ictbench.records import PluginSpec
from ictbench.reflectors import make_reflector
from ictbench.reflectors.reflector import Context, Reflector

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import JsonValue

    from ictbench.models import ChatModel
    from ictbench.records import Reflection, Trajectory


class WrapperReflector(Reflector):
    """Passes everything to an inner reflector; subclasses change what it sees or which episodes are played."""

    wraps: ClassVar[bool] = True
    varies: ClassVar[Literal["", "outcomes"]] = ""
    """What it changes in the episodes; it cannot wrap a reflector that ignores that."""

    def __init__(self, model: ChatModel | None = None, *, reflector: JsonValue = None, **options: Any) -> None:
        """Create the inner reflector with the same model.

        Args:
            model: Language model of the inner reflector, if it needs one.
            reflector: Specification of the inner reflector, without its model.
            options: None are allowed.

        Raises:
            UsageError: The specification is invalid, or the inner reflector cannot be created.
        """
        super().__init__(model, **options)
        try:
            spec = PluginSpec.model_validate(reflector)
        except ValidationError as error:
            raise ConfigError(
                f"{type(self).__name__} wraps another reflector: its option 'reflector' must be the specification of "
                f"that reflector, not {reflector!r:.80}"
            ) from error
        self.inner = make_reflector(spec, model)
        self.instruction = self.inner.instruction

    async def reflect(
        self, prompt: str, trajectories: Sequence[Trajectory], state: JsonValue, context: Context
    ) -> Reflection:
        """Return what the inner reflector returns."""
        return await self.ask_inner(prompt, trajectories, state, context)

    async def ask_inner(
        self, prompt: str, trajectories: Sequence[Trajectory], state: JsonValue, context: Context
    ) -> Reflection:
        """Return what the inner reflector returns for these episodes.

        Raises:
            PluginError: Its method is not async.
        """
        return await awaitable(self.inner, "reflect", self.inner.reflect(prompt, trajectories, state, context))

    def recall(self, memory: JsonValue, observation: str, actions: tuple[str, ...]) -> str:
        """Return what the inner reflector recalls."""
        return self.inner.recall(memory, observation, actions)

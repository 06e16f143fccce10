"""The contract of a reflector."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import JsonValue

    from ictbench.models import ChatModel
    from ictbench.records import Reflection, Trajectory


@dataclass(frozen=True, slots=True)
class Context:
    """What a reflector may know besides the experience: a sampling seed and the prompt's cap in UTF-8 bytes."""

    seed: int
    prompt_cap: int


class Reflector(ABC):
    """Rewrites a prompt. Whatever it remembers between turns travels in `state`, plain JSON."""

    needs_model = False
    trained_on: ClassVar[tuple[str, ...] | None] = None
    """Families it was trained on, in the words of `ictbench.suites.training`; None for unknown, as of a model."""
    instruction: str = ""
    """What its model is told, in full but for prompt and episodes, so that it can be published; empty if nothing."""

    def __init__(self, model: ChatModel | None = None, **options: Any) -> None:
        """Take the model of the reflector's spec, where it has one, and the options of the spec."""
        self.model = model
        if options:
            raise TypeError(f"{type(self).__name__} has no option {sorted(options)[0]!r}")

    @abstractmethod
    async def reflect(
        self, prompt: str, trajectories: Sequence[Trajectory], state: JsonValue, context: Context
    ) -> Reflection:
        """Answer the next prompt, given the current one, a batch played under it, and the state last returned.

        The state is None on the first turn.

        Raises:
            ModelFailure: the turn keeps its prompt and is counted.
            InfrastructureError: the loop stops here until resumed.
        """

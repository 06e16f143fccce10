"""The contract of an actor."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ictbench.models import ChatModel
    from ictbench.records import Decision, Step


@dataclass(frozen=True, slots=True)
class History:
    """What an actor has seen of its episode so far: past steps, and what is before it now."""

    steps: Sequence[Step]
    observation: str
    actions: tuple[str, ...]
    max_steps: int
    solution: tuple[str, ...] = ()
    """Actions that solve the task from its start; only for an actor that `sees_solution`."""


class Actor(ABC):
    """Decides one action. It keeps nothing between calls: the history holds all there is."""

    needs_model = False
    only_computes = False
    """True for an actor that never waits for anything: then playing many episodes at once gains nothing."""
    sees_solution = False
    """True for an actor that is told what solves the task: a ceiling, which is never ranked."""

    def __init__(self, model: ChatModel | None = None, **options: Any) -> None:
        """Take the model of the actor's spec, where it has one, and the options of the spec."""
        self.model = model
        if options:
            raise TypeError(f"{type(self).__name__} has no option {sorted(options)[0]!r}")

    @abstractmethod
    async def act(self, prompt: str, history: History, seed: int) -> Decision:
        """Propose an action under the system prompt; equal arguments should give equal answers.

        Raises:
            ModelFailure: the episode fails.
            InfrastructureError: the episode is owed.
        """

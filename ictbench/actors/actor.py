"""The contract of an actor."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ictbench.models import ChatModel
    from ictbench.records import Decision, Step


@dataclass(frozen=True, slots=True)
class History:
    """Episode so far, as an actor sees it: past steps, current observation and available actions."""

    steps: Sequence[Step]
    observation: str
    actions: tuple[str, ...]
    max_steps: int
    """Most decisions of the episode."""
    solution: tuple[str, ...] = ()
    """Actions that solve the task from its start. Empty unless the actor `sees_solution`."""


class Actor(ABC):
    """Player that decides one action at a time. It is stateless: each call gets the whole history."""

    needs_model = False
    """Whether the actor needs a language model."""
    cpu_bound = False
    """Whether the actor never waits for anything. Running many of its episodes at once then saves no time."""
    deterministic = False
    """Whether decisions depend on prompt and history only, not on the seed. Repeats of an episode are then equal."""
    sees_solution = False
    """Whether the actor is given the solution of the task. Such an actor is an upper bound and is never ranked."""

    trained_on: ClassVar[tuple[str, ...] | None] = None
    """Families it was trained on, in the syntax of `ictbench.suites.trained_on`. None means unknown."""

    def __init__(self, model: ChatModel | None = None, **options: Any) -> None:
        """Create an actor.

        Args:
            model: An open model, for an actor that needs one.
            options: Options of the actor's specification. An option that no subclass takes is an error.
        """
        self.model = model
        if options:
            raise TypeError(f"{type(self).__name__} has no option {sorted(options)[0]!r}")

    @abstractmethod
    async def act(self, prompt: str, history: History, seed: int) -> Decision:
        """Return the next action under the system prompt. Equal arguments should give equal decisions.

        Raises:
            ModelFailure: The model failed; so does the episode.
            InfrastructureError: Anything else failed; the episode is played again later.
        """

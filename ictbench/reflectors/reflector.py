"""The contract of a reflector."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import JsonValue

    from ictbench.choices import ExperienceFormat
    from ictbench.models import ChatModel
    from ictbench.records import Reflection, Trajectory

Experience = Literal["fresh", "halved", "retried", "foreign"]
"""What a loop of N turns and batches of k plays for a reflector: always N k episodes.

fresh: k tasks a turn, none twice. halved: half of them, and the reflector has as many episodes of its own.
retried: the same k tasks in every turn. foreign: k tasks a turn of another family.
"""


class Play(Protocol):
    """Plays tasks of the turn's batch once more, for the reflector. Its episodes are recorded like all others."""

    @property
    def left(self) -> int:
        """Episodes that may still be played in this turn."""

    async def __call__(self, prompt: str, places: Sequence[int]) -> list[Trajectory]:
        """Trajectories under `prompt` of the tasks at these places of the batch, counted from 0.

        One that the turn has played already, its own batch included, is not counted again.

        Raises:
            PluginError: more are asked for than are left.
            InfrastructureError: an episode is owed.
        """


@dataclass(frozen=True, slots=True)
class Context:
    """What a reflector may know, and do, besides reading the experience."""

    seed: int
    """To sample with."""
    prompt_cap: int
    """The most that a prompt may hold, in UTF-8 bytes."""
    play: Play | None = None
    """For a reflector whose experience is `halved`: it has as many episodes of its own as the batch has."""
    turn: int = 1
    """1 … N."""


class Reflector(ABC):
    """Rewrites a prompt. Whatever it remembers between turns travels in `state`, plain JSON."""

    needs_model: ClassVar[bool] = False
    wraps: ClassVar[bool] = False
    """Whether it is made around another reflector; see `ictbench.reflectors.controls.wrapper`."""
    trained_on: ClassVar[tuple[str, ...] | None] = None
    """Families it was trained on, in the words of `ictbench.suites.trained_on`; None for unknown, as of a model."""
    control: ClassVar[str] = ""
    """Why it is a control, which is never ranked, as a clause about "it"; empty for one that may be ranked."""
    experience: ClassVar[Experience] = "fresh"
    prompt_cap: ClassVar[int | None] = None
    """What its prompts may hold, in UTF-8 bytes, where that is not the suite's cap: then it is a control."""
    formats: ClassVar[tuple[ExperienceFormat, ...]] = ()
    """How its model can be shown the experience, its usual way first; empty where there is no choice."""
    max_tokens: ClassVar[int | None] = None
    """The most that its model may answer with, where that is not what the suite says."""
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

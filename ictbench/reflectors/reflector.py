"""The reflector contract."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol

from ictbench.records import NO_MEMORY

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pydantic import JsonValue

    from ictbench.choices import ExperienceFormat
    from ictbench.models import ChatModel
    from ictbench.records import Division, Memory, Reflection, Trajectory

Experience = Literal["fresh", "halved", "retried", "foreign", "pooled"]
"""Which episodes a loop of N turns with k tasks each plays for a reflector. There are always N k episodes.

fresh: k new tasks in every turn.
halved: half of these tasks; the reflector may play as many episodes itself.
retried: the same k tasks in every turn.
foreign: k new tasks of another family in every turn.
pooled: none is played for it; an optimiser plays any of the N k tasks itself, under prompts of its choice, up to i k
    episodes until the end of turn i.
"""

OWN_EPISODES: tuple[Experience, ...] = ("halved", "pooled")
"""Kinds of experience with which a reflector plays episodes itself."""


class Reflector(ABC):
    """Rewrites a prompt after reading the episodes played under it.

    One instance serves all loops of a run. What it keeps from one turn to the next goes into `state`.
    """

    needs_model: ClassVar[bool] = False
    division: ClassVar[Division] = "reflector"
    """Division in which it is ranked. A learner of the division `memory` overrides `recall`, and returns its memory
    with each reflection."""
    memory_version: ClassVar[int] = 1
    """Version of the format of its memory. A run is not continued with a memory of another version."""
    wraps: ClassVar[bool] = False
    """Whether its option `reflector` names another reflector, as `ictbench.reflectors.controls.wrapper` expects."""
    trained_on: ClassVar[tuple[str, ...] | None] = None
    """Families it was trained on, in the syntax of `ictbench.suites.trained_on`. None means unknown."""
    control: ClassVar[str] = ""
    """Why it is a control, which is never ranked: a clause whose subject is "it". Empty if it may be ranked."""
    experience: ClassVar[Experience] = "fresh"
    prompt_cap: ClassVar[int | None] = None
    """Maximum size of its prompts in UTF-8 bytes. None means the suite's cap; any other makes it a control."""
    formats: ClassVar[tuple[ExperienceFormat, ...]] = ()
    """Formats in which its model can read the experience, the default first. Empty if there is no choice."""
    max_tokens: ClassVar[int | None] = None
    """Maximum number of tokens of a reply of its model. None means the suite's limit."""
    ignores: ClassVar[Literal["", "outcomes", "episodes"]] = ""
    """What it never reads: how episodes ended, or the episodes altogether. No control can vary what is not read."""
    embeds: ClassVar[bool] = False
    """Whether it embeds texts if its model does. The run then tries that before it starts."""
    system: ClassVar[str] = ""
    """Part of the instruction that the option `instruction` replaces. Empty if it does not take that option."""
    instruction: str = ""
    """Text sent to its model, without the prompt and the episodes; published with results. Empty without a model."""

    def __init__(self, model: ChatModel | None = None, **options: Any) -> None:
        """Store the model.

        Raises:
            TypeError: An option is unknown.
        """
        self.model = model
        if options:
            raise TypeError(f"{type(self).__name__} has no option {sorted(options)[0]!r}")

    @classmethod
    def instruction_with(cls, text: JsonValue) -> str:
        """Return the whole instruction where a text replaces `system`; the usual one if there is no text."""
        return f"{text}{cls.instruction.removeprefix(cls.system)}" if text and cls.system else cls.instruction

    @abstractmethod
    async def reflect(
        self, prompt: str, trajectories: Sequence[Trajectory], state: JsonValue, context: Context
    ) -> Reflection:
        """Return the next prompt and the new state.

        Args:
            prompt: The current prompt.
            trajectories: Episodes of one batch that were played under it.
            state: The state that the previous turn returned, plain JSON; None in the first turn.
            context: The turn's limits and tools.

        Raises:
            ModelFailure: The model failed. The turn keeps the current prompt and is counted.
            InfrastructureError: Something other than the model failed. The loop stops until the run is resumed.
        """

    def recall(self, memory: JsonValue, observation: str, actions: tuple[str, ...]) -> str:
        """Return the text that the memory adds to the prompt of one episode; only for the division `memory`.

        It must be a pure function: equal arguments give equal texts, in every process, and the memory is not changed.
        It is called only if there is a memory, at least twice for each episode, in a thread of its own, on another
        instance than `reflect`. A call may take at most five seconds.

        Args:
            memory: Memory that the last turn returned, plain JSON.
            observation: First observation of the episode, as the actor sees it.
            actions: Actions that are available then.

        Returns:
            At most `ictbench.records.ADDED_BYTES` UTF-8 bytes; empty to add nothing.
        """
        raise NotImplementedError(f"{type(self).__name__} has a memory, but no recall")


@dataclass(frozen=True, slots=True)
class Context:
    """Limits and tools of one turn."""

    seed: int
    """Sampling seed."""
    prompt_cap: int
    """Maximum size of the next prompt in UTF-8 bytes. In the division `memory` it leaves room for what is recalled."""
    play: BatchPlayer | None = None
    """Plays episodes for a reflector whose `experience` is `halved` or `pooled`; None for all others."""
    turn: int = 1
    """Number of the turn, 1 … N."""
    loop_seed: int = 0
    """Seed that is the same in all turns of a loop."""
    memory: Memory = NO_MEMORY
    """Copy of the loop's memory, with sorted keys; its value is None until a turn has returned one."""


def labelled(name: str, options: Mapping[str, JsonValue]) -> str:
    """Return the label of a reflector: with the start of the SHA-256 digest of the instruction that a user gave it."""
    text = options.get("instruction")
    return f"{name} (instruction {sha256(text.encode()).hexdigest()[:12]})" if isinstance(text, str) else name


class BatchPlayer(Protocol):
    """Plays tasks under a prompt that the reflector chooses. Its episodes are recorded like all others.

    The tasks are those of the turn's batch, or all experience tasks of the loop if the experience is `pooled`.
    """

    @property
    def left(self) -> int:
        """Number of episodes that may still be played in this turn."""

    @property
    def size(self) -> int:
        """Number of tasks."""

    def new_episodes(self, prompt: str, indices: Sequence[int]) -> int:
        """Return how many of these episodes would count, since they were not played yet."""

    async def __call__(self, prompt: str, indices: Sequence[int]) -> list[Trajectory]:
        """Play tasks under `prompt` and return their trajectories.

        An episode that was already played is returned again and does not count again.

        Args:
            prompt: The system prompt.
            indices: Positions of the tasks, from 0.

        Raises:
            PluginError: More episodes are requested than are left, a task does not exist, or the prompt is too long.
            InfrastructureError: An episode could not be played, and the model did not cause it.
        """

"""Base class of reflectors that ask one question a turn and keep no state.

Question and reply alone decide the next prompt, so the model of such a reflector can be trained. Building the question
and parsing the reply are separate from the model, because training samples the replies itself.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

from ictbench.errors import ConfigError
from ictbench.plugins import resolve
from ictbench.reflectors.llm.llm_reflector import LLMReflector, experience_format, format_experience

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import JsonValue

    from ictbench.choices import ExperienceFormat
    from ictbench.models import ChatModel, Message
    from ictbench.records import Reflection, Trajectory
    from ictbench.reflectors.reflector import Context


class Question(ABC):
    """Question of one turn and parser of its reply."""

    reply_prefix: ClassVar[str] = ""
    """Start of every reply. A model that supports it continues from there."""
    system: str = ""
    """System message that another text may replace; empty if the question is fixed."""

    def __init__(self, form: ExperienceFormat, system: str = "") -> None:
        """Store the format of the experience, and the text that replaces `system`, if it is not empty."""
        self._form = form
        self.system = system or self.system

    @abstractmethod
    def build(self, prompt: str, experience: str, cap: int) -> list[Message]:
        """Return the messages that ask for the next prompt.

        Args:
            prompt: The current prompt.
            experience: The trajectories as text.
            cap: Maximum size of the next prompt in UTF-8 bytes.
        """

    @abstractmethod
    def parse(self, prompt: str, reply: str, cap: int, *, cut: bool) -> Reflection:
        """Return the reflection that a reply gives.

        Args:
            prompt: The current prompt.
            reply: The whole reply, including `reply_prefix` where the model continued it.
            cap: Maximum size of the next prompt in UTF-8 bytes.
            cut: Whether the reply reached its token limit.
        """

    def messages(
        self, prompt: str, trajectories: Sequence[Trajectory], cap: int, *, loop_seed: int, prefill: bool
    ) -> list[Message]:
        """Return the messages; with `prefill`, the last one is the start of the reply, if there is one."""
        messages = self.build(prompt, format_experience(self._form, prompt, trajectories, loop_seed), cap)
        if prefill and self.reply_prefix:
            messages.append({"role": "assistant", "content": self.reply_prefix})
        return messages


class SingleQuestionReflector(LLMReflector):
    """Reflector defined by its `question`."""

    question: ClassVar[type[Question]]

    def __init__(self, model: ChatModel | None = None, **options: Any) -> None:
        """Store the model and create the question; see `LLMReflector`."""
        super().__init__(model, **options)
        self._question = self.question(self._format, self._system)

    async def revise(
        self, prompt: str, trajectories: Sequence[Trajectory], state: JsonValue, context: Context
    ) -> Reflection:
        """Ask the question and return the parsed reply; see `LLMReflector.revise`."""
        prefill, cap = self._model.supports_prefill, context.prompt_cap
        messages = self._question.messages(prompt, trajectories, cap, loop_seed=context.loop_seed, prefill=prefill)
        completion = await self._model.complete(messages, seed=context.seed)
        reply = self._question.reply_prefix + completion.text if prefill else completion.text
        reflection = self._question.parse(prompt, reply, cap, cut=completion.finish_reason == "length")
        return reflection.model_copy(update={"state": state, "usage": completion.usage})


def single_question_reflector(name: str) -> type[SingleQuestionReflector]:
    """Return the reflector of a name, whose model can be trained.

    Raises:
        UsageError: There is no such reflector, or it asks more than one question a turn or keeps a state.
    """
    reflector = resolve("reflector", name)
    if not (isinstance(reflector, type) and issubclass(reflector, SingleQuestionReflector)):
        raise ConfigError(
            f"reflector {name!r} cannot be trained: its next prompt depends on more than one reply; use lessons, "
            "one-action, one-rule or rewrite"
        )
    return reflector


def question_of(name: str, experience: JsonValue = None) -> Question:
    """Return the question of a reflector, with its experience in a format or, for None, in the reflector's own.

    Raises:
        UsageError: As in `single_question_reflector`, or the reflector does not support the format.
    """
    reflector = single_question_reflector(name)
    return reflector.question(experience_format(reflector, experience))

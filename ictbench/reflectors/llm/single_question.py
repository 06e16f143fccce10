"""Reflectors that ask one question a turn, whose reply alone decides the next prompt.

They keep no state, so that question and reply are all there is to learn: such a reflector's model can be trained.
Asking and reading are apart from the model here, as training samples the replies itself.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

from ictbench.reflectors.llm.llm_reflector import LLMReflector, shown_as

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import JsonValue

    from ictbench.choices import ExperienceFormat
    from ictbench.models import ChatModel, Message
    from ictbench.records import Reflection, Trajectory
    from ictbench.reflectors.reflector import Context


class Question(ABC):
    """What a model is asked each turn, and what follows from its reply."""

    begun: ClassVar[str] = ""
    """How every reply begins; a model that can is given it, and only goes on."""

    def __init__(self, form: ExperienceFormat) -> None:
        """Take how the experience is shown."""
        self._form = form

    @abstractmethod
    def ask(self, prompt: str, experience: str, cap: int) -> list[Message]:
        """The messages that ask for a prompt of at most `cap` bytes."""

    @abstractmethod
    def read(self, prompt: str, text: str, cap: int, *, cut: bool) -> Reflection:
        """What follows from a whole reply, its beginning included; `cut` says that it met its limit of tokens."""

    def messages(self, prompt: str, trajectories: Sequence[Trajectory], cap: int, *, begin: bool) -> list[Message]:
        """The messages, with the beginning of the reply as the last one if `begin` and there is one."""
        asked = self.ask(prompt, shown_as(self._form, prompt, trajectories), cap)
        return [*asked, {"role": "assistant", "content": self.begun}] if begin and self.begun else asked


class SingleQuestionReflector(LLMReflector):
    """A reflector that is nothing but its question."""

    question: ClassVar[type[Question]]

    def __init__(self, model: ChatModel | None = None, **options: Any) -> None:
        """Take the model; see `LLMReflector`.

        Raises:
            UsageError: there is none, or the experience cannot be shown as asked.
        """
        super().__init__(model, **options)
        self._question = self.question(self._format)

    async def reflect(
        self, prompt: str, trajectories: Sequence[Trajectory], state: JsonValue, context: Context
    ) -> Reflection:
        """Ask the model; see `Reflector.reflect`. Of an unusable reply, the whole text is kept as the analysis."""
        begin, cap = self._model.supports_prefill, context.prompt_cap
        messages = self._question.messages(prompt, trajectories, cap, begin=begin)
        completion = await self._model.complete(messages, seed=context.seed)
        text = self._question.begun + completion.text if begin else completion.text
        found = self._question.read(prompt, text, cap, cut=completion.finish_reason == "length")
        return found.model_copy(update={"state": state, "usage": completion.usage})

"""What is learned: a reflector's question about each state as text, and what follows from a reply."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ictbench.errors import ConfigError
from ictbench.models.providers.chat_template import render_chat
from ictbench.plugins import resolve
from ictbench.reflectors.llm.llm_reflector import format_of
from ictbench.reflectors.llm.single_question import Question, SingleQuestionReflector

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ictbench.records import Reflection
    from ictbench.reflectors import ExperienceFormat
    from ictbench.train.settings import Settings
    from ictbench.train.states import State


@dataclass(frozen=True, slots=True)
class ReplyTask:
    """A reflector's question, and how the experience is shown with it."""

    question: Question
    experience: ExperienceFormat
    cap: int
    """Of a prompt, in UTF-8 bytes."""

    @classmethod
    def of(cls, settings: Settings, cap: int) -> ReplyTask:
        """The question of the reflector that the settings name.

        Raises:
            UsageError: there is none, it keeps a state, or its replies are shorter than those asked for.
        """
        found = resolve("reflector", settings.reflector)
        if not (isinstance(found, type) and issubclass(found, SingleQuestionReflector)):
            raise ConfigError(
                f"reflector {settings.reflector!r} cannot be trained: its next prompt does not follow from one reply "
                "alone; lessons and rewrite can be"
            )
        if found.max_tokens is not None and settings.max_tokens > found.max_tokens:
            raise ConfigError(
                f"max_tokens {settings.max_tokens}: replies of {settings.reflector} have at most {found.max_tokens}"
            )
        form = format_of(found, settings.experience)
        return cls(found.question(form), form, cap)

    def text(self, state: State, tokenizer: Any) -> str:
        """The question with its reply begun, as the model reads it: the same tokens as when it reflects in a run."""
        return render_chat(tokenizer, self.question.messages(state.prompt, state.experience, self.cap, begin=True))

    def rows(self, states: Iterable[State], tokenizer: Any, most: int) -> list[dict[str, Any]]:
        """What the trainer reads: `prompt`, and `state`, its place. Questions of over `most` tokens are left out."""
        asked = ((place, self.text(state, tokenizer)) for place, state in enumerate(states))
        return [{"prompt": text, "state": place} for place, text in asked if len(tokenizer(text)["input_ids"]) <= most]

    def read(self, state: State, completion: str, *, cut: bool) -> Reflection:
        """What follows from the reply to a state's question; `completion` goes on where it was begun."""
        return self.question.read(state.prompt, self.question.begun + completion, self.cap, cut=cut)

"""The training task: a reflector's question about a state as text, and the parser of its replies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ictbench.errors import ConfigError
from ictbench.models.providers.chat_template import render_chat
from ictbench.reflectors.llm.llm_reflector import experience_format
from ictbench.reflectors.llm.single_question import Question, single_question_reflector
from ictbench.train.renamed_actions import Renaming, rename_rules, rename_trajectories

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ictbench.choices import ExperienceFormat
    from ictbench.records import Reflection
    from ictbench.train.settings import TrainingSettings
    from ictbench.train.states import ReflectionState


@dataclass(frozen=True, slots=True)
class ReflectionTask:
    """A reflector's question and the format of the experience in it."""

    question: Question
    experience: ExperienceFormat
    prompt_cap: int
    """Longest prompt, in UTF-8 bytes."""
    renaming: Renaming | None = None
    """Names that actions have in the questions; None for their own."""

    @classmethod
    def from_settings(cls, settings: TrainingSettings, prompt_cap: int, start_prompt: str = "") -> ReflectionTask:
        """Return the task of the reflector that the settings name.

        Raises:
            UsageError: The reflector is unknown, keeps a state, or limits its replies below `max_tokens`.
        """
        reflector = single_question_reflector(settings.reflector)
        if reflector.max_tokens is not None and settings.max_tokens > reflector.max_tokens:
            raise ConfigError(
                f"max_tokens {settings.max_tokens} is too high: {settings.reflector} limits its replies to "
                f"{reflector.max_tokens}"
            )
        experience = experience_format(reflector, settings.experience)
        return cls(
            reflector.question(experience),
            experience,
            prompt_cap,
            Renaming.of_training(settings.seed, start_prompt) if settings.rename_actions else None,
        )

    def text(self, state: ReflectionState, tokenizer: Any) -> str:
        """Return the question with the start of the reply: the same tokens that the model reads in a run."""
        names = self._names(state)
        messages = self.question.messages(
            rename_rules(state.prompt, names),
            rename_trajectories(state.experience, names),
            self.prompt_cap,
            loop_seed=state.loop_seed,
            prefill=True,
        )
        return render_chat(tokenizer, messages)

    def rows(self, states: Iterable[ReflectionState], tokenizer: Any, max_tokens: int) -> list[dict[str, Any]]:
        """Return rows for the trainer; states whose question is longer than `max_tokens` are left out.

        Returns:
            Dictionaries of `prompt`, the text of the question, and `state`, the index of the state.
        """
        texts = ((index, self.text(state, tokenizer)) for index, state in enumerate(states))
        return [
            {"prompt": text, "state": index} for index, text in texts if len(tokenizer(text)["input_ids"]) <= max_tokens
        ]

    def parse(self, state: ReflectionState, completion: str, *, cut: bool) -> Reflection:
        """Return the reflection that a reply gives.

        Args:
            state: The state that the question was about.
            completion: What the model wrote after the start of the reply.
            cut: Whether the reply reached its token limit.
        """
        names = self._names(state)
        prompt, reply = rename_rules(state.prompt, names), self.question.reply_prefix + completion
        reflection = self.question.parse(prompt, reply, self.prompt_cap, cut=cut)
        if reflection.prompt is None:
            return reflection
        own = {new: name for name, new in names.items()}
        return reflection.model_copy(update={"prompt": rename_rules(reflection.prompt, own)})

    def _names(self, state: ReflectionState) -> dict[str, str]:
        """Return the name of each action in the question about a state; empty for their own."""
        return self.renaming.names(state) if self.renaming else {}

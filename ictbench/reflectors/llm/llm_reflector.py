"""Base class of reflectors that ask a language model, and functions that read its replies."""

from __future__ import annotations

import re
from abc import abstractmethod
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from ictbench.errors import ConfigError, ModelFailure, UsageError
from ictbench.models.reasoning import has_reasoning
from ictbench.models.replies import read_answer
from ictbench.records import UNREPORTED, Reflection, Usage
from ictbench.reflectors.event_digest import format_events
from ictbench.reflectors.reflector import Reflector
from ictbench.reflectors.tally_digest import format_tally
from ictbench.reflectors.trajectory_text import format_trajectories
from ictbench.rules_text.screen import player_symbol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import JsonValue

    from ictbench.choices import ExperienceFormat
    from ictbench.models import ChatModel, Completion
    from ictbench.records import ReflectionFailure, Trajectory
    from ictbench.reflectors.reflector import Context

EPISODE_DESCRIPTION = """\
In each step the agent sees an observation and a list of available actions and names one of these actions. An action \
that is not in the list is invalid: it is wasted and changes nothing."""
"""Description of the episodes, part of every instruction."""

NOTHING = Usage()
"""Usage before the first call of a turn."""

LIST_MARK = re.compile(r"^\s*(?:[-*\u2022]|\d+[.)])\s+")


class UnusableReplyError(Exception):
    """The model's reply cannot be used."""

    def __init__(self, completion: Completion, failure: ReflectionFailure) -> None:
        super().__init__(failure)
        self.completion = completion
        self.failure: ReflectionFailure = failure


class LLMReflector(Reflector):
    """Reflector that asks a language model. Its option `experience` is one of its `formats`.

    The option `instruction` replaces `system`, the start of its instruction; the rest says what a reply must look like.
    """

    needs_model = True
    formats: ClassVar[tuple[ExperienceFormat, ...]] = ("full", "events", "tally")

    def __init__(
        self,
        model: ChatModel | None = None,
        *,
        experience: JsonValue = None,
        instruction: JsonValue = None,
        **options: Any,
    ) -> None:
        """Store the model and the format of the experience.

        Args:
            model: The language model.
            experience: One of `formats`; None means the first.
            instruction: Text in place of `system`; None means `system`.
            options: None are allowed.

        Raises:
            UsageError: The model is missing, the format is not one of `formats`, or the instruction cannot be replaced.
        """
        super().__init__(model, **options)
        if model is None:
            raise UsageError(f"{type(self).__name__} needs a language model, e.g. openai/gpt-4.1-mini")
        self._model = model
        self._format = experience_format(type(self), experience)
        if instruction is not None and not (self.system and isinstance(instruction, str) and instruction.strip()):
            raise ConfigError(
                f"{type(self).__name__} does not take the instruction {instruction!r:.80}: "
                + ("it must be a text" if self.system else "its own is fixed; leave it out")
            )
        self._system = self.system if instruction is None else str(instruction)
        self.instruction = self.instruction_with(instruction)

    async def reflect(
        self, prompt: str, trajectories: Sequence[Trajectory], state: JsonValue, context: Context
    ) -> Reflection:
        """Return the result of `revise`; an unusable reply keeps prompt and state, and its text is the analysis."""
        try:
            return await self.revise(prompt, trajectories, state, context)
        except UnusableReplyError as error:
            reply = error.completion
            return Reflection(prompt=None, analysis=reply.text, failure=error.failure, state=state, usage=reply.usage)

    @abstractmethod
    async def revise(
        self, prompt: str, trajectories: Sequence[Trajectory], state: JsonValue, context: Context
    ) -> Reflection:
        """Ask the model and return the next prompt and state; see `Reflector.reflect`.

        Raises:
            UnusableReplyError: The model's reply cannot be used.
        """

    async def ask(self, system: str, request: str, context: Context, spent: Usage = NOTHING) -> Completion:
        """Return the model's reply to a system message and a user message.

        Args:
            system: The system message.
            request: The user message.
            context: Context of the turn.
            spent: Usage of earlier calls in this turn, which is added to that of the reply or of its failure.

        Raises:
            UnusableReplyError: The reply reached its token limit.
            ModelFailure: The model failed to reply.
            ModelUnavailableError: The model cannot be reached.
        """
        try:
            completion = await self._model.complete(
                [{"role": "system", "content": system}, {"role": "user", "content": request}], seed=context.seed
            )
        except ModelFailure as error:
            if spent is not NOTHING:
                error.usage = spent + (error.usage or UNREPORTED)
            raise
        if spent is not NOTHING:
            completion = replace(completion, usage=spent + completion.usage)
        if completion.finish_reason == "length":
            raise UnusableReplyError(completion, "truncated")
        return completion

    def experience_text(self, prompt: str, trajectories: Sequence[Trajectory], context: Context) -> str:
        """Return the trajectories as text for the model."""
        return format_experience(self._format, prompt, trajectories, context.loop_seed)


def experience_format(reflector: type[Reflector], requested: JsonValue) -> ExperienceFormat:
    """Return the requested format of the experience, or the reflector's default if `requested` is None.

    Raises:
        ConfigError: The reflector does not support the format.
    """
    for known in reflector.formats:
        if requested in (None, known):
            return known
    raise ConfigError(
        f"{reflector.__name__} does not support experience {requested!r} (formats: {', '.join(reflector.formats)})"
    )


def format_experience(
    form: ExperienceFormat, prompt: str, trajectories: Sequence[Trajectory], loop_seed: int = 0
) -> str:
    """Return trajectories as text for a model.

    Args:
        form: The format.
        prompt: The prompt they were played under; it names the player's symbol on a map.
        trajectories: The batch.
        loop_seed: Decides the order of what has none, which stays the same in all turns of a loop.
    """
    if form == "events":
        return format_events(trajectories, player_symbol(prompt)) or "(none)"
    if form == "tally":
        return format_tally(trajectories, player_symbol(prompt), loop_seed) or "(none)"
    return format_trajectories(trajectories) or "(none)"


def heading_pattern(name: str) -> re.Pattern[str]:
    """Return a pattern for a line that starts with `name:` or consists of the name, with or without Markdown."""
    return re.compile(
        rf"^[ \t]*(?:#+[ \t]*)?(?:\*\*|__)?{name}(?:\*\*|__)?[ \t]*(?::(?:\*\*|__)?|\r?$)", re.IGNORECASE | re.MULTILINE
    )


def section_lines(heading: re.Pattern[str], text: str) -> list[str] | None:
    """Return the lines after a heading, without list marks and blank lines.

    Reasoning before the heading is ignored. None if the heading is missing, or if reasoning may stand after it.
    """
    reply = read_answer(text).text
    match = heading.search(reply)
    if match is None or has_reasoning(reply[match.end() :]):
        return None
    lines = (" ".join(LIST_MARK.sub("", line).split()) for line in reply[match.end() :].splitlines())
    return [line for line in lines if line]

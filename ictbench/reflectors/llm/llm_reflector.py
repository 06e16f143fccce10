"""Reflectors that put a question to a language model each turn, and how their replies are read."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, ClassVar

from ictbench.errors import ConfigError, UsageError
from ictbench.records import Reflection
from ictbench.reflectors.event_digest import format_events
from ictbench.reflectors.reflector import Reflector
from ictbench.reflectors.trajectory_text import format_trajectories
from ictbench.rules_text.screen import player_symbol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import JsonValue

    from ictbench.choices import ExperienceFormat
    from ictbench.models import ChatModel, Completion
    from ictbench.records import ReflectionFailure, Trajectory
    from ictbench.reflectors.reflector import Context

EPISODES = """\
In each step the agent sees an observation and a list of available actions and names one of these actions. An action \
that is not in the list is invalid: it is wasted and changes nothing."""
"""What every model is told of the episodes that it reads."""


class LLMReflector(Reflector):
    """A reflector on a language model. Its option `experience` is one of its `formats`."""

    needs_model = True
    formats: ClassVar[tuple[ExperienceFormat, ...]] = ("full", "events")

    def __init__(self, model: ChatModel | None = None, *, experience: JsonValue = None, **options: Any) -> None:
        """Take the model.

        Raises:
            UsageError: there is none, or the experience cannot be shown as asked.
        """
        super().__init__(model, **options)
        if model is None:
            raise UsageError(f"{type(self).__name__} needs a language model, e.g. openai/gpt-4.1-mini")
        self._model = model
        self._format = format_of(type(self), experience)

    async def ask(self, system: str, request: str, context: Context) -> Completion:
        """The model's reply.

        Raises:
            ModelFailure: the model caused that there is none.
            ModelUnavailableError: it cannot be reached.
        """
        return await self._model.complete(
            [{"role": "system", "content": system}, {"role": "user", "content": request}], seed=context.seed
        )

    def shown(self, prompt: str, trajectories: Sequence[Trajectory]) -> str:
        """The experience as its model reads it."""
        return shown_as(self._format, prompt, trajectories)


def format_of(reflector: type[Reflector], experience: JsonValue) -> ExperienceFormat:
    """The format that is asked for, or the reflector's usual one.

    Raises:
        ConfigError: it cannot be shown so.
    """
    for known in reflector.formats:
        if experience in (None, known):
            return known
    known_ones = ", ".join(reflector.formats)
    raise ConfigError(f"{reflector.__name__} cannot be shown its experience as {experience!r}; choose of {known_ones}")


def shown_as(form: ExperienceFormat, prompt: str, trajectories: Sequence[Trajectory]) -> str:
    """Trajectories as text for a model. What is the player on a map, the prompt they were played under says."""
    if form == "events":
        return format_events(trajectories, player_symbol(prompt)) or "(none)"
    return format_trajectories(trajectories) or "(none)"


def unusable(completion: Completion, problem: ReflectionFailure, state: JsonValue) -> Reflection:
    """What becomes of a reply that cannot be used: its whole text is kept as the analysis."""
    return Reflection(prompt=None, analysis=completion.text, failure=problem, state=state, usage=completion.usage)


def without_reasoning(text: str) -> str:
    """A reply without the reasoning that the server left at its start, between `<think>` tags."""
    return text.partition("</think>")[2] if text.lstrip().startswith("<think>") else text


def heading(name: str) -> re.Pattern[str]:
    """A line that starts with `name:`, or is nothing but the name, perhaps in markdown."""
    return re.compile(
        rf"^[ \t]*(?:#+[ \t]*)?(?:\*\*|__)?{name}(?:\*\*|__)?[ \t]*(?::(?:\*\*|__)?|\r?$)", re.IGNORECASE | re.MULTILINE
    )


def lines_below(where: re.Pattern[str], text: str) -> list[str] | None:
    """The lines below a heading of a reply, without marks of a list and blank lines; None if it has no such heading."""
    said = without_reasoning(text)
    found = where.search(said)
    if found is None:
        return None
    lines = (" ".join(LIST_MARK.sub("", line).split()) for line in said[found.end() :].splitlines())
    return [line for line in lines if line]


LIST_MARK = re.compile(r"^\s*(?:[-*\u2022]|\d+[.)])\s+")

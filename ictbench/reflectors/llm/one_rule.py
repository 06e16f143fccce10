"""Reflector for small models: one rule a turn, below those of earlier turns.

The question is short, and the start of the reply is given: the model only names words on the screen and an action. Its
examples are earlier exchanges of the same conversation, about games that are in no suite, shown in the same format as
the experience. From the reply, only the first complete rule is used.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from ictbench.models.reasoning import drop_reasoning
from ictbench.models.replies import read_answer
from ictbench.records import Reflection, Step, Trajectory
from ictbench.reflectors.llm.llm_reflector import format_experience
from ictbench.reflectors.llm.prompt_sections import append_section, newest_that_fit
from ictbench.reflectors.llm.single_question import Question, SingleQuestionReflector
from ictbench.rules_text.rules import Choose, parse_rules

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ictbench.choices import ExperienceFormat
    from ictbench.models import Message
    from ictbench.records import End

TITLE = "Rules from earlier episodes, the newest last:"
INSTRUCTIONS = """\
You read what happened in episodes of a game, and write one rule for the player, of the form \
When you see "words", choose "action"."""
REQUEST = "Write one rule that is not among the rules so far."
PLAYER = 'You are the "@".'
"""Prompt under which the episodes of the examples were played, as far as their format depends on it."""

OFFERED = ("step e", "step w", "pickup", "light", "ring")
FLOOR = "\n........"
"""Floor below each map of the examples: what a map shows often is floor to the digest of events."""


def _episode(end: End, *steps: tuple[str, str], last: str) -> Trajectory:
    """Return an episode of an example from pairs of observation and action."""
    return Trajectory(
        steps=tuple(
            Step(observation=text + FLOOR, actions=OFFERED, digest="", thought="", proposed=action, executed=action)
            for text, action in steps
        ),
        last_observation=last + FLOOR,
        last_digest="",
        end=end,
    )


# Two examples, because a small model copies a single one. In both, another action than the solving one comes first.
EXAMPLES: tuple[tuple[tuple[Trajectory, ...], str], ...] = (
    (
        (
            _episode(
                "solved",
                ("....@&", "step e"),
                ("You see here a bell.\n.....@", "pickup"),
                ("k - a bell.\n.....@", "ring"),
                last="The bell rings.\n.....@",
            ),
            _episode(
                "step_limit",
                ("&@....", "step w"),
                ("You see here a bell.\n@.....", "pickup"),
                ("k - a bell.\n@.....", "pickup"),
                last="There is nothing here to pick up.\n@.....",
            ),
        ),
        'When you see "k -", choose "ring".',
    ),
    (
        (
            _episode(
                "step_limit",
                ("@.{...", "light"),
                ("You have nothing to light.\n@.{...", "step e"),
                last=".@{...",
            ),
            _episode(
                "solved",
                (".@{...", "step e"),
                ("You see here a lamp.\n..@...", "pickup"),
                ("m - a lamp.\n..@...", "light"),
                last="The lamp is lit.\n..@...",
            ),
        ),
        'When you see "m -", choose "light".',
    ),
)


def _request(rules: str, experience: str) -> str:
    return f"Rules so far:\n{rules.strip() or '(none)'}\n\nWhat happened:\n{experience}\n{REQUEST}"


def _exchanges(form: ExperienceFormat) -> list[tuple[str, str]]:
    """Return request and reply of each example."""
    return [(_request("", format_experience(form, PLAYER, batch)), reply) for batch, reply in EXAMPLES]


class OneRuleQuestion(Question):
    """Asks for one rule about words on the screen."""

    reply_prefix = 'When you see "'

    def build(self, prompt: str, experience: str, cap: int) -> list[Message]:
        """Return the examples, then the rules so far with the episodes; the rest of the prompt is not shown."""
        messages: list[tuple[Message, Message]] = [
            ({"role": "user", "content": request}, {"role": "assistant", "content": reply})
            for request, reply in _exchanges(self._form)
        ]
        _, _, rules = prompt.partition(f"{TITLE}\n")
        return [
            {"role": "system", "content": INSTRUCTIONS},
            *chain.from_iterable(messages),
            {"role": "user", "content": _request(rules, experience)},
        ]

    def parse(self, prompt: str, reply: str, cap: int, *, cut: bool) -> Reflection:
        """Return the prompt with the first rule of the reply below its rules.

        A rule replaces an earlier one about the same words. Where the cap is reached, the oldest rules are dropped.
        """
        rules = parse_rules(drop_reasoning(read_answer(reply).text))
        rule = next((rule for rule in rules if isinstance(rule, Choose) and not rule.later), None)
        if rule is None:
            return Reflection(prompt=None, analysis=reply, failure="truncated" if cut else "unparseable")
        start, _, section = prompt.partition(TITLE)
        earlier = [old for old in parse_rules(section) if not (isinstance(old, Choose) and old.phrase == rule.phrase)]
        own, lines = start.rstrip(), _lines([*earlier, rule])
        kept = newest_that_fit(own, TITLE, lines, cap)
        if not kept or kept[-1] != lines[-1]:
            return Reflection(prompt=None, analysis=reply, failure="too_long")
        return Reflection(prompt=append_section(own, TITLE, kept), analysis=reply)


def _lines(rules: Sequence[object]) -> list[str]:
    return list(dict.fromkeys(map(str, rules)))


class OneRuleReflector(SingleQuestionReflector):
    """Asks a language model for one rule, which is added to those of earlier turns. Keeps no state."""

    question = OneRuleQuestion
    formats = ("tally", "events", "full")
    max_tokens = 32
    instruction = "\n\n".join(
        [INSTRUCTIONS, *(f"{request}\n\n{reply}" for request, reply in _exchanges(formats[0]))],
    )

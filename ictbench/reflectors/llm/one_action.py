"""Reflector for small models: the name of one action a turn, in place of the one named before.

The model reads the tally of the episodes, with the outcome before each action, and names one that solved them. The
reflector writes the rule: after the words that NetHack shows where an item lies, choose that action. So the only thing
that a model can learn is which action to name. It writes no rule for walking or for picking items up: give the actor a
start prompt that does.
"""

from __future__ import annotations

import re
from itertools import chain
from typing import TYPE_CHECKING

from ictbench.models.reasoning import drop_reasoning
from ictbench.models.replies import read_answer
from ictbench.records import Reflection
from ictbench.reflectors.llm.prompt_sections import append_section
from ictbench.reflectors.llm.single_question import Question, SingleQuestionReflector
from ictbench.reflectors.tally_digest import OUTCOMES
from ictbench.rules_text.rules import Choose, parse_rules

if TYPE_CHECKING:
    from ictbench.models import Message

TITLE = "Learned from earlier episodes:"
SEEN = "You see here"
"""Words that NetHack shows where an item lies."""
INSTRUCTIONS = "You read what happened in episodes of a game, and name the action that solved it."
OUTCOME = dict(zip(OUTCOMES.values(), ("Untried", "Solved", "Failed", "Mixed"), strict=True))
"""Word for each outcome of a tally."""
EXAMPLES = (
    (
        "Later: k - a bell. You see here a bell. There is nothing here to pick up.\n"
        "Mixed: step\nFailed: throw\nMixed: pickup\nSolved: ring\nMixed: light",
        "Solved: ring.",
    ),
    (
        "Later: You see here a lamp. m - a lamp. There is nothing here to pick up.\n"
        "Failed: rub\nSolved: light\nUntried: dig\nMixed: pickup\nMixed: step\nFailed: push",
        "Solved: light.",
    ),
)
"""Invented batches, as `outcomes_first` shows them, with replies. Two, because a small model copies a single one."""

_NAMED = re.compile(r"\s*Solved: ?([a-z][\w-]*)\b")


def _request(named: str, experience: str) -> str:
    return f"Chosen so far: {named or '(none)'}\n{experience}"


def outcomes_first(tally: str) -> str:
    """Return a tally in which the outcome of an action stands before its name, as the reply has it.

    The order of the lines stays: it depends on no outcome. Actions without an outcome stay as they are.
    """
    lines = [(line, *line.rpartition(": ")[::2]) for line in tally.splitlines()]
    return "\n".join(f"{OUTCOME[outcome]}: {action}" if outcome in OUTCOME else line for line, action, outcome in lines)


class OneActionQuestion(Question):
    """Asks which action solved the episodes."""

    reply_prefix = "Solved:"

    def build(self, prompt: str, experience: str, cap: int) -> list[Message]:
        """Return the examples, then the action named so far and the tally; the prompt is not shown."""
        examples: list[tuple[Message, Message]] = [
            ({"role": "user", "content": _request("", text)}, {"role": "assistant", "content": reply})
            for text, reply in EXAMPLES
        ]
        rules = [rule for rule in parse_rules(prompt.partition(f"{TITLE}\n")[2]) if isinstance(rule, Choose)]
        named = rules[-1].action if rules else ""
        return [
            {"role": "system", "content": INSTRUCTIONS},
            *chain.from_iterable(examples),
            {"role": "user", "content": _request(named, outcomes_first(experience))},
        ]

    def parse(self, prompt: str, reply: str, cap: int, *, cut: bool) -> Reflection:
        """Return the prompt with a rule for the first action that the reply names, in place of the rule before."""
        text = drop_reasoning(read_answer(reply).text)
        match = _NAMED.match(text)
        if match is None:
            return Reflection(prompt=None, analysis=reply, failure="unparseable")
        if cut and match.end() == len(text):
            return Reflection(prompt=None, analysis=reply, failure="truncated")
        rule = Choose(SEEN, match[1], later=True)
        improved = append_section(prompt.partition(TITLE)[0].rstrip(), TITLE, [str(rule)])
        if len(improved.encode()) > cap:
            return Reflection(prompt=None, analysis=reply, failure="too_long")
        return Reflection(prompt=improved, analysis=reply)


class OneActionReflector(SingleQuestionReflector):
    """Asks a language model which action solved the episodes, and writes a rule for it. Keeps no state."""

    question = OneActionQuestion
    formats = ("tally",)
    max_tokens = 6
    instruction = "\n\n".join([INSTRUCTIONS, *(f"{_request('', text)}\n\n{reply}" for text, reply in EXAMPLES)])

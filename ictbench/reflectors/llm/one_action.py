"""Reflector for small models: the name of one action a turn, in place of the one named before.

The model reads which actions the episodes offered, each with its outcome, and names one that solved them. It does not
read of actions that the prompt already quotes, such as those for walking, nor anything else of the episodes, so a
question has the same form in every world. The reflector writes the rule. Where the prompt orders one action before
another (`Do "clean or heat" before "move".`), the named one takes the place of the first. Elsewhere it is to be chosen
after the words that NetHack shows where an item lies. So the only thing that a model can learn is which action to name.
It writes no rule for walking, searching or picking things up: give the actor a start prompt that does.
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
from ictbench.reflectors.tally_digest import LATER, OUTCOMES, START, SYMBOLS
from ictbench.rules_text.rules import Choose, action_kind, parse_rules

if TYPE_CHECKING:
    from collections.abc import Collection

    from ictbench.models import Message

TITLE = "Learned from earlier episodes:"
SEEN = "You see here"
"""Words that NetHack shows where an item lies."""
INSTRUCTIONS = "You read what happened in episodes of a game, and name the action that solved it."
OUTCOME = dict(zip(OUTCOMES.values(), ("Failed", "Solved", "Failed", "Mixed"), strict=True))
"""Word for each outcome of a tally. Untried actions count as failed: where the right action is named, no other is
tried, so a mark of trying would give it away without an outcome."""
NOT_ACTIONS = tuple(f"{title}: " for title in (START, LATER, SYMBOLS))
"""Beginnings of the lines of a tally that name no action."""
EXAMPLES = (
    ("", "Mixed: kick\nFailed: throw\nSolved: ring\nMixed: light\nFailed: dig", "Solved: ring."),
    ("rub", "Failed: rub\nMixed: push\nFailed: dig\nSolved: light\nFailed: ring", "Solved: light."),
)
"""Invented batches: the action named so far, actions with outcomes, the reply. Two, as a small model copies one."""
_NAMED = re.compile(r"\s*Solved: ?([a-z][\w-]*)\b")
_QUOTED = re.compile(r'"(\w[\w-]*)[^"\n]*"')
_ORDER = re.compile(r'Do "(?P<action>[^"\n]+)" before (?P<later>"[^"\n]+")\.')


def named_action(prompt: str) -> str:
    """Return the action that a prompt names, in its first order if it has one.

    Returns:
        Empty if it names none, or several to choose from.
    """
    chosen = [rule.action for rule in parse_rules(prompt.partition(TITLE)[2]) if isinstance(rule, Choose)]
    order = _ORDER.search(prompt)
    done = order["action"] if order and action_kind(order["action"]) == order["action"] else ""
    return next(iter(chosen), done)


def has_order(prompt: str) -> bool:
    """Check whether a prompt orders one action before another."""
    return _ORDER.search(prompt) is not None


def name_action(prompt: str, action: str) -> str:
    """Return a prompt that names an action in place of the one before."""
    if has_order(prompt):
        return _ORDER.sub(lambda match: f'Do "{action}" before {match["later"]}.', prompt, count=1)
    return append_section(prompt.partition(TITLE)[0].rstrip(), TITLE, [str(Choose(SEEN, action, later=True))])


def _request(named: str, experience: str) -> str:
    return f"Chosen so far: {named or '(none)'}\n{experience}"


def known_actions(prompt: str) -> frozenset[str]:
    """Return the kinds of actions that a prompt quotes elsewhere than where it names one: what it says how to use."""
    rest = _ORDER.sub(r"\g<later>", prompt.partition(TITLE)[0], count=1)
    return frozenset(_QUOTED.findall(rest))


def candidates(tally: str, known: Collection[str] = ()) -> str:
    """Return the actions of a tally, each below the other with its outcome before its name, as the reply has it.

    The order of the lines stays: it depends on no outcome. Actions without an outcome stand alone. Known actions, and
    lines without an action, are left out.
    """
    lines = [line for line in tally.splitlines() if not line.startswith(NOT_ACTIONS)]
    split = [(line, *line.rpartition(": ")[::2]) for line in lines]
    named = [(f"{OUTCOME[outcome]}: ", action) if outcome in OUTCOME else ("", line) for line, action, outcome in split]
    return "\n".join(outcome + action for outcome, action in named if action not in known) or "(none)"


class OneActionQuestion(Question):
    """Asks which action solved the episodes."""

    reply_prefix = "Solved:"

    def build(self, prompt: str, experience: str, cap: int) -> list[Message]:
        """Return the examples, then the action named so far and the tally; the prompt is not shown."""
        examples: list[tuple[Message, Message]] = [
            ({"role": "user", "content": _request(named, text)}, {"role": "assistant", "content": reply})
            for named, text, reply in EXAMPLES
        ]
        return [
            {"role": "system", "content": INSTRUCTIONS},
            *chain.from_iterable(examples),
            {"role": "user", "content": _request(named_action(prompt), candidates(experience, known_actions(prompt)))},
        ]

    def parse(self, prompt: str, reply: str, cap: int, *, cut: bool) -> Reflection:
        """Return the prompt with a rule for the first action that the reply names, in place of the rule before."""
        text = drop_reasoning(read_answer(reply).text)
        match = _NAMED.match(text)
        if match is None:
            return Reflection(prompt=None, analysis=reply, failure="unparseable")
        if cut and match.end() == len(text):
            return Reflection(prompt=None, analysis=reply, failure="truncated")
        improved = name_action(prompt, match[1])
        if len(improved.encode()) > cap:
            return Reflection(prompt=None, analysis=reply, failure="too_long")
        return Reflection(prompt=improved, analysis=reply)


class OneActionReflector(SingleQuestionReflector):
    """Asks a language model which action solved the episodes, and writes a rule for it. Keeps no state."""

    question = OneActionQuestion
    formats = ("tally",)
    max_tokens = 6
    instruction = "\n\n".join(
        [INSTRUCTIONS, *(f"{_request(named, text)}\n\n{reply}" for named, text, reply in EXAMPLES)]
    )

"""Reflector for small models: a few rules appended to the prompt, which replace those of the previous turn.

The question is short. Its examples are earlier exchanges of the same conversation, and the start of the reply is given.
From the reply, only the first rules of the two simple forms of `ictbench.rules_text.rules` are used. A reply that
reaches its token limit therefore loses only an incomplete rule.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from ictbench.models.reasoning import drop_reasoning
from ictbench.models.replies import read_answer
from ictbench.records import Reflection
from ictbench.reflectors.llm.prompt_sections import append_section
from ictbench.reflectors.llm.single_question import Question, SingleQuestionReflector
from ictbench.rules_text.rules import Choose, Walk, parse_rules

if TYPE_CHECKING:
    from ictbench.models import Message

MAX_RULES = 3
"""Rules taken from a reply."""

TITLE = "Lessons from the last episodes:"
INSTRUCTIONS = """\
You read what happened in episodes of a game, and write rules for the player, of the forms Walk onto "symbol" and \
When you see "words", choose "action"."""
# From a game that is in no suite. Two examples, because a small model copies a single one.
EXAMPLES = (
    (
        """\
Episode 1:
In sight: "&"
run s: came onto "&" You see here a bell.
ring: The bell rings. The task was solved.
Symbols: "&"
""",
        'Walk onto "&"\nWhen you see "You see here", choose "ring"',
    ),
    (
        """\
Episode 1:
In sight: "{" "*"
ring: You have nothing to ring.
step n: came onto "*" You see here a lamp.
In the end all 25 actions were used up.
Episode 2:
In sight: "*"
run e: came onto "*" You see here a lamp.
light: The lamp is lit. The task was solved.
Symbols: "*" "{"
""",
        'Walk onto "*"\nWhen you see "You see here", choose "light"',
    ),
)
REQUEST = f"Write at most {MAX_RULES} rules, one a line."


def _request(rules: str, experience: str) -> str:
    # The symbols to name come last, because a small model copies what it has just read.
    return f"Rules so far:\n{rules or '(none)'}\n\nWhat happened:\n{experience}\n{REQUEST}"


def _exchange(experience: str, answer: str) -> tuple[Message, Message]:
    return {"role": "user", "content": _request("", experience)}, {"role": "assistant", "content": answer}


class LessonsQuestion(Question):
    """Asks for rules of two simple forms."""

    reply_prefix = 'Walk onto "'

    def build(self, prompt: str, experience: str, cap: int) -> list[Message]:
        """Return the examples, then the current rules with the episodes; the rest of the prompt is not shown."""
        _, _, rules = prompt.partition(f"{TITLE}\n")
        return [
            {"role": "system", "content": INSTRUCTIONS},
            *chain.from_iterable(_exchange(experience, answer) for experience, answer in EXAMPLES),
            {"role": "user", "content": _request(rules, experience)},
        ]

    def parse(self, prompt: str, reply: str, cap: int, *, cut: bool) -> Reflection:
        """Return the prompt with the first rules of the reply in place of its current rules."""
        simple = (
            rule for rule in parse_rules(drop_reasoning(read_answer(reply).text)) if isinstance(rule, Walk | Choose)
        )
        rules = list(dict.fromkeys(map(str, simple)))[:MAX_RULES]
        if not rules:
            return Reflection(prompt=None, analysis=reply, failure="truncated" if cut else "unparseable")
        improved = append_section(prompt.partition(TITLE)[0].rstrip(), TITLE, rules)
        if len(improved.encode()) > cap:
            return Reflection(prompt=None, analysis=reply, failure="too_long")
        return Reflection(prompt=improved, analysis=reply)


class LessonsReflector(SingleQuestionReflector):
    """Asks a language model for rules, which replace those of the previous turn. Keeps no state."""

    question = LessonsQuestion
    formats = ("events", "full", "tally")
    max_tokens = 48
    instruction = "\n\n".join(
        [INSTRUCTIONS, *(f"{_request('', experience)}\n\n{answer}" for experience, answer in EXAMPLES)]
    )

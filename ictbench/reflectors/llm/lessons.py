"""The reflector for small models: a few rules below the prompt's own text, written anew each turn.

Its question is short, with examples as earlier exchanges of the same conversation; its reply is begun for it, and
what counts of the reply are its first rules of the two simple forms of `ictbench.rules_text.rules`. Whatever else the
model says is left out, so a reply that meets its limit loses only what is not complete.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from ictbench.records import Reflection
from ictbench.reflectors.llm.prompt_sections import compose
from ictbench.reflectors.llm.single_question import Question, SingleQuestionReflector
from ictbench.rules_text.rules import Choose, Walk, parse_rules

if TYPE_CHECKING:
    from ictbench.models import Message

MOST = 3
"""Rules of a reply that count."""

TITLE = "Lessons from the last episodes:"
INSTRUCTIONS = """\
You read what happened in episodes of a game, and write rules for the player, of the forms Walk onto "symbol" and \
When you see "words", choose "action"."""
# Of no game that a suite has. Two, as a small model copies the only one.
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
REQUEST = f"Write at most {MOST} rules, one a line."


def _request(former: str, experience: str) -> str:
    # What is to be named stands last: a small model copies what it has just read.
    return f"Rules so far:\n{former or '(none)'}\n\nWhat happened:\n{experience}\n{REQUEST}"


def _exchange(shown: str, answer: str) -> tuple[Message, Message]:
    return {"role": "user", "content": _request("", shown)}, {"role": "assistant", "content": answer}


class LessonsQuestion(Question):
    """Asks for rules."""

    begun = 'Walk onto "'

    def ask(self, prompt: str, experience: str, cap: int) -> list[Message]:
        """The former rules and the episodes, after the examples; the prompt's own text is not shown."""
        _, _, former = prompt.partition(f"{TITLE}\n")
        return [
            {"role": "system", "content": INSTRUCTIONS},
            *chain.from_iterable(_exchange(shown, answer) for shown, answer in EXAMPLES),
            {"role": "user", "content": _request(former, experience)},
        ]

    def read(self, prompt: str, text: str, cap: int, *, cut: bool) -> Reflection:
        """The prompt's own text with the reply's first rules below it, in place of the former ones."""
        simple = (rule for rule in parse_rules(text) if isinstance(rule, Walk | Choose))
        rules = list(dict.fromkeys(map(str, simple)))[:MOST]
        if not rules:
            return Reflection(prompt=None, analysis=text, failure="truncated" if cut else "unparseable")
        own = prompt.partition(TITLE)[0].rstrip()
        written = compose(own, TITLE, rules)
        if len(written.encode()) > cap:
            return Reflection(prompt=None, analysis=text, failure="too_long")
        return Reflection(prompt=written, analysis=text)


class LessonsReflector(SingleQuestionReflector):
    """Asks a language model for rules, and puts them in place of the former ones. It keeps no state of its own."""

    question = LessonsQuestion
    formats = ("events", "full")
    max_tokens = 48
    instruction = "\n\n".join([INSTRUCTIONS, *(f"{_request('', shown)}\n\n{answer}" for shown, answer in EXAMPLES)])

"""The plain-English rule language: rules as records, their sentences, and a parser that finds them in a prompt.

A reflector writes rules into a prompt; the scripted actor parses them out of it. The language knows nothing of a game.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

HEADING = "Learned from experience:"
"""The line below which the scripted reflector writes its rules. It never changes the text above that line."""


@dataclass(frozen=True, slots=True)
class Walk:
    """Rule: walk onto the nearest `symbol` on the screen."""

    symbol: str

    def __str__(self) -> str:
        return f'Walk onto "{self.symbol}".'


@dataclass(frozen=True, slots=True)
class Choose:
    """Rule: choose `action` while `phrase` is on the screen; if `later`, also after it was there in this episode."""

    phrase: str
    action: str
    later: bool = False

    def __str__(self) -> str:
        condition = "After you have seen" if self.later else "When you see"
        return f'{condition} "{self.phrase}", choose "{self.action}".'


@dataclass(frozen=True, slots=True)
class Follow:
    """Rule: where no other rule applies, prefer actions that share words with a line of text; repeat none of them."""

    phrase: str
    """Beginning of the line."""

    def __str__(self) -> str:
        return f'Prefer new actions that name what the line "{self.phrase}" names.'


@dataclass(frozen=True, slots=True)
class Manner:
    """Rule: how to use actions of one kind while following a line."""

    kind: str
    """First word of the actions."""
    how: Literal[
        "only what the line names, and once",
        "only what the line names",
        "only for more of what the line names",
        "and what was done may be done again",
    ]

    def __str__(self) -> str:
        return f'As for "{self.kind}": {self.how}.'


@dataclass(frozen=True, slots=True)
class Before:
    """Rule: if the line names actions of `kind`, do one of them before any action of the kind `later`."""

    kind: str
    later: str
    place: str
    """Action, without numbers, after which actions of `kind` become available; empty if unknown."""

    def __str__(self) -> str:
        return f'If it names "{self.kind}", do that before "{self.later}"; look for it by "{self.place}".'


Rule = Walk | Choose | Follow | Manner | Before

_RULE = re.compile(
    r'Walk onto "(?P<symbol>.)"|'
    r'(?P<when>When you see|After you have seen) "(?P<phrase>[^"\n]+)", choose "(?P<action>[^"\n]+)"|'
    r'Prefer new actions that name what the line "(?P<line>[^"\n]+)" names|'
    r'As for "(?P<kind>[^"\n]+)": (?P<how>only what the line names, and once|only what the line names|'
    r"only for more of what the line names|and what was done may be done again)|"
    r'If it names "(?P<first>[^"\n]+)", do that before "(?P<later>[^"\n]+)"; look for it by "(?P<place>[^"\n]*)"'
)


@lru_cache(maxsize=1024)
def parse_rules(text: str) -> tuple[Rule, ...]:
    """Return the rules that a prompt or a reply contains, in the order of the text."""
    return tuple(_rule(match) for match in _RULE.finditer(text))


def _rule(match: re.Match[str]) -> Rule:
    if match["symbol"]:
        return Walk(match["symbol"])
    if match["line"]:
        return Follow(match["line"])
    if match["kind"]:
        return Manner(match["kind"], match["how"])  # type: ignore[arg-type]
    if match["first"]:
        return Before(match["first"], match["later"], match["place"])
    return Choose(match["phrase"], match["action"], later=match["when"].startswith("After"))


def action_kind(action: str) -> str:
    """Return the first word of an action, by which rules group actions."""
    return action.split()[0] if action.strip() else ""

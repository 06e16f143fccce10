"""The plain-English rule language: rules as records, their sentences, and a parser that finds them in a prompt.

A reflector writes rules into a prompt; the scripted actor parses them out of it. The language knows nothing of a game.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

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
class Line:
    """Declaration: the line that begins with `phrase` says what matters in this episode.

    Only below it do rules of the kinds after this one have a meaning.
    """

    phrase: str

    def __str__(self) -> str:
        return f'The line "{self.phrase}" says what matters.'


@dataclass(frozen=True, slots=True)
class Hold:
    """Declaration: something is held from an action that matches `taking` until one that matches `giving`."""

    taking: str
    giving: str

    def __str__(self) -> str:
        return f'You hold something from "{self.taking}" to "{self.giving}".'


@dataclass(frozen=True, slots=True)
class Act:
    """Rule: choose an action that matches `pattern`, none twice while the same is held."""

    pattern: str
    """Words of an action with placeholders; see `ictbench.rules_text.patterns`."""
    word: str = ""
    """Only if the line names this word; empty for any line."""
    held: Literal["", "something", "nothing"] = ""
    """Only while something, or nothing, is held."""
    offered: str = ""
    """Only actions after which an action that matches this pattern was offered and left undone."""

    def __str__(self) -> str:
        word = f'the line names "{self.word}"' if self.word else ""
        held = f"you hold {self.held}" if self.held else ""
        conditions = " and ".join(filter(None, (word, held)))
        where = f' where "{self.offered}" was offered' if self.offered else ""
        return f'{f"When {conditions}, choose" if conditions else "Choose"} "{self.pattern}"{where}.'


@dataclass(frozen=True, slots=True)
class Before:
    """Rule: do an action that matches `first` before any that matches `later`."""

    word: str
    """Only if the line names this word; empty for any line."""
    first: str
    later: str
    place: str = ""
    """Pattern of actions that may lead to `first`; empty if unknown."""

    def __str__(self) -> str:
        place = f'; look for it by "{self.place}"' if self.place else ""
        start = f'If the line names "{self.word}", do' if self.word else "Do"
        return f'{start} "{self.first}" before "{self.later}"{place}.'


Rule = Walk | Choose | Line | Hold | Act | Before

_RULE = re.compile(
    r'Walk onto "(?P<symbol>.)"|'
    r'(?P<when>When you see|After you have seen) "(?P<phrase>[^"\n]+)", choose "(?P<action>[^"\n]+)"|'
    r'The line "(?P<line>[^"\n]+)" says what matters|'
    r'You hold something from "(?P<taking>[^"\n]+)" to "(?P<giving>[^"\n]+)"|'
    r'(?:Choose|When (?:the line names "(?P<word>[^"\n]+)"(?: and (?=you hold)|(?=,)))?'
    r'(?:you hold (?P<held>something|nothing))?, choose) "(?P<pattern>[^"\n]+)"'
    r'(?: where "(?P<offered>[^"\n]+)" was offered)?|'
    r'(?:If the line names "(?P<named>[^"\n]+)", do|Do) "(?P<first>[^"\n]+)" before "(?P<later>[^"\n]+)"'
    r'(?:; look for it by "(?P<place>[^"\n]+)")?'
)


@lru_cache(maxsize=1024)
def parse_rules(text: str) -> tuple[Rule, ...]:
    """Return the rules that a prompt or a reply contains, in the order of the text."""
    return tuple(_rule(match) for match in _RULE.finditer(text))


def _rule(match: re.Match[str]) -> Rule:
    if match["symbol"]:
        return Walk(match["symbol"])
    if match["action"]:
        return Choose(match["phrase"], match["action"], later=match["when"].startswith("After"))
    if match["line"]:
        return Line(match["line"])
    if match["taking"]:
        return Hold(match["taking"], match["giving"])
    if match["first"]:
        return Before(match["named"] or "", match["first"], match["later"], match["place"] or "")
    held: Any = match["held"] or ""
    return Act(match["pattern"], match["word"] or "", held, match["offered"] or "")


def action_kind(action: str) -> str:
    """Return the first word of an action, by which rules group actions."""
    return action.split()[0] if action.strip() else ""

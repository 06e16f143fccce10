"""The plain-English rules that the scripted pair shares: how they are written, read, and matched with text.

The reflector writes them into a prompt, the actor finds them there. Nothing here knows a game: text is
either prose (a line with a word in it) or a grid of symbols in which one symbol is the player.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

HEADING = "Learned from experience:"
"""The line below which the reflector writes its rules; what stands above it is never touched."""

Place = tuple[int, int]
"""Row and column in a grid. Rows count upwards from the last line, so lines put on top do not shift them."""


@dataclass(frozen=True, slots=True)
class Walk:
    """Walk onto the nearest `symbol` on the screen."""

    symbol: str

    def __str__(self) -> str:
        return f'Walk onto "{self.symbol}".'


@dataclass(frozen=True, slots=True)
class Choose:
    """Choose `action` when `phrase` is in sight, or, if `later`, once it has been seen in this episode."""

    phrase: str
    action: str
    later: bool = False

    def __str__(self) -> str:
        condition = "After you have seen" if self.later else "When you see"
        return f'{condition} "{self.phrase}", choose "{self.action}".'


@dataclass(frozen=True, slots=True)
class Follow:
    """Prefer actions that name what a line names, where nothing else is said; repeat none."""

    phrase: str
    """How the line begins."""

    def __str__(self) -> str:
        return f'Prefer new actions that name what the line "{self.phrase}" names.'


@dataclass(frozen=True, slots=True)
class Manner:
    """How to use actions of one kind, by their first word, while following a line."""

    kind: str
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
    """If the line names one kind of action, do it before another; it is possible after some action."""

    kind: str
    later: str
    place: str
    """The action after which it is possible, without numbers; empty if unknown."""

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
_PLAYER = re.compile(r'You are the "(.)"')
_WORD = re.compile(r"[^\W\d_]{2,}")


@lru_cache(maxsize=1024)
def read_rules(prompt: str) -> tuple[Rule, ...]:
    """The rules that a prompt holds, in its order."""
    return tuple(_rule(found) for found in _RULE.finditer(prompt))


def _rule(found: re.Match[str]) -> Rule:
    if found["symbol"]:
        return Walk(found["symbol"])
    if found["line"]:
        return Follow(found["line"])
    if found["kind"]:
        return Manner(found["kind"], found["how"])  # type: ignore[arg-type]
    if found["first"]:
        return Before(found["first"], found["later"], found["place"])
    return Choose(found["phrase"], found["action"], later=found["when"].startswith("After"))


@lru_cache(maxsize=1024)
def player_symbol(prompt: str) -> str | None:
    """The symbol that the prompt says is the player: `You are the "@"`."""
    found = _PLAYER.search(prompt)
    return found[1] if found else None


@lru_cache(maxsize=4096)
def prose(text: str) -> tuple[str, ...]:
    """The lines of a text that hold words, white space collapsed."""
    return tuple(dict.fromkeys(" ".join(line.split()) for line in text.splitlines() if _WORD.search(line)))


@lru_cache(maxsize=65536)
def words(text: str) -> tuple[str, ...]:
    """The words of a text in lower case, numbers left out."""
    return tuple(word.lower() for word in _WORD.findall(text))


def kind_of(action: str) -> str:
    """The first word of an action."""
    return action.split()[0] if action.strip() else ""


@lru_cache(maxsize=4096)
def places(text: str, symbol: str) -> tuple[Place, ...]:
    """Where a symbol stands in the grid lines of a text."""
    lines = text.splitlines()
    return tuple(
        (row - len(lines), column)
        for row, line in enumerate(lines)
        if symbol in line and not _WORD.search(line)
        for column, character in enumerate(line)
        if character == symbol
    )


def symbol_at(text: str, place: Place) -> str:
    """The symbol at a place, a space where the line is shorter."""
    lines = text.splitlines()
    row, column = place
    return lines[row][column : column + 1] or " " if -row <= len(lines) else " "


def holds(text: str, phrase: str) -> bool:
    """Whether a phrase stands in the prose of a text, as whole words."""
    return any(f" {phrase} " in f" {line} " for line in prose(text))

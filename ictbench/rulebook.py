"""The plain-English rules that the scripted pair shares: how they are written, read, and matched with text.

The reflector writes them into a prompt, the actor finds them there. Nothing here knows a game: text is
either prose (a line with a word in it) or a grid of symbols in which one symbol is the player.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

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


Rule = Walk | Choose

_RULE = re.compile(
    r'Walk onto "(?P<symbol>.)"|'
    r'(?P<when>When you see|After you have seen) "(?P<phrase>[^"\n]+)", choose "(?P<action>[^"\n]+)"'
)
_PLAYER = re.compile(r'You are the "(.)"')
_WORD = re.compile(r"[^\W\d_]{2,}")


@lru_cache(maxsize=1024)
def read_rules(prompt: str) -> tuple[Rule, ...]:
    """The rules that a prompt holds, in its order."""
    return tuple(
        Walk(found["symbol"])
        if found["symbol"]
        else Choose(found["phrase"], found["action"], later=found["when"].startswith("After"))
        for found in _RULE.finditer(prompt)
    )


@lru_cache(maxsize=1024)
def player_symbol(prompt: str) -> str | None:
    """The symbol that the prompt says is the player: `You are the "@"`."""
    found = _PLAYER.search(prompt)
    return found[1] if found else None


@lru_cache(maxsize=4096)
def prose(text: str) -> tuple[str, ...]:
    """The lines of a text that hold words, white space collapsed."""
    return tuple(dict.fromkeys(" ".join(line.split()) for line in text.splitlines() if _WORD.search(line)))


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

"""Reading a screen as text: lines of prose, words, and the symbols of a map.

A line with a word in it is prose; every other line is part of the map. One symbol of the map is the player.
"""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache

Position = tuple[int, int]
"""Row and column on the map. Rows count upwards from the last line, so lines added on top do not shift them."""

_PLAYER = re.compile(r'You are the "(.)"')
_WORD = re.compile(r"[^\W\d_]{2,}")


@lru_cache(maxsize=4096)
def prose_lines(text: str) -> tuple[str, ...]:
    """Return the distinct lines of a text that contain words, with white space collapsed."""
    return tuple(dict.fromkeys(" ".join(line.split()) for line in text.splitlines() if _WORD.search(line)))


def contains_phrase(text: str, phrase: str) -> bool:
    """Check whether a line of prose contains a phrase, as whole words."""
    return any(f" {phrase} " in f" {line} " for line in prose_lines(text))


@lru_cache(maxsize=65536)
def words(text: str) -> tuple[str, ...]:
    """Return the words of a text in lower case, without numbers."""
    return tuple(word.lower() for word in _WORD.findall(text))


@lru_cache(maxsize=1024)
def player_symbol(prompt: str) -> str | None:
    """Return the symbol that a prompt says is the player (`You are the "@"`), None if it says nothing."""
    match = _PLAYER.search(prompt)
    return match[1] if match else None


@lru_cache(maxsize=4096)
def find_symbol(text: str, symbol: str) -> tuple[Position, ...]:
    """Return all positions of a symbol on the map."""
    lines = text.splitlines()
    return tuple(
        (row - len(lines), column)
        for row, line in enumerate(lines)
        if symbol in line and not _WORD.search(line)
        for column, character in enumerate(line)
        if character == symbol
    )


def symbol_at(text: str, position: Position) -> str:
    """Return the symbol at a position, a space outside the text."""
    lines = text.splitlines()
    row, column = position
    return lines[row][column : column + 1] or " " if -row <= len(lines) else " "


def entered_symbol(before: str, after: str, player: str) -> str | None:
    """Return the symbol that the player moved onto between two screens, None if it did not move."""
    old, new = find_symbol(before, player), find_symbol(after, player)
    return symbol_at(before, new[0]) if old and new and old[0] != new[0] else None


def count_symbols(text: str) -> Counter[str]:
    """Return how often each symbol is on the map, spaces left out."""
    grid = (line for line in text.splitlines() if not _WORD.search(line))
    return Counter(character for line in grid for character in line if not character.isspace())

"""Patterns of actions: words of an action, with placeholders for the others.

`…` stands for any words, `<named>` for words of which the line of the task names at least one, and `<other>` for words
of which it names none. `take <named> from …` matches `take mug 1 from shelf 2` where the line names a mug. A single
word stands for all actions of its kind, which begin with it: `take` for `take …`. `take or drop` matches what either
matches.
"""

from __future__ import annotations

from collections import defaultdict
from functools import lru_cache
from typing import TYPE_CHECKING

from ictbench.rules_text.rules import action_kind
from ictbench.rules_text.screen import words

if TYPE_CHECKING:
    from collections.abc import Iterable

ANY, NAMED, OTHER = "…", "<named>", "<other>"
OR = " or "
PLACEHOLDERS = frozenset({ANY, NAMED, OTHER})


@lru_cache(maxsize=65536)
def matches(pattern: str, action: str, named: frozenset[str]) -> bool:
    """Check whether an action matches a pattern.

    Args:
        pattern: Words and placeholders; a placeholder stands for one word or more.
        action: The action.
        named: Words of the line, in lower case.
    """
    if OR in pattern:
        return any(matches(part, action, named) for part in pattern.split(OR))
    if pattern not in PLACEHOLDERS and len(pattern.split()) == 1:
        return action_kind(action) == pattern.strip()
    return _matches(tuple(pattern.split()), tuple(action.split()), named)


@lru_cache(maxsize=65536)  # A pattern with many placeholders has very many ways to fit.
def _matches(pattern: tuple[str, ...], action: tuple[str, ...], named: frozenset[str]) -> bool:
    if not pattern or not action:
        return not pattern and not action
    first, rest = pattern[0], pattern[1:]
    if first not in PLACEHOLDERS:
        return first == action[0] and _matches(rest, action[1:], named)
    return any(
        _fits(first, action[:size], named) and _matches(rest, action[size:], named)
        for size in range(1, len(action) - len(rest) + 1)
    )


def _fits(placeholder: str, part: tuple[str, ...], named: frozenset[str]) -> bool:
    return placeholder == ANY or (placeholder == NAMED) != named.isdisjoint(words(" ".join(part)))


def argument_words(actions: Iterable[str]) -> frozenset[str]:
    """Return the words that tell actions of one kind apart, such as names of things."""
    by_kind: defaultdict[str, list[frozenset[str]]] = defaultdict(list)
    for action in set(actions):
        by_kind[action_kind(action)].append(frozenset(action.split()[1:]))
    varying = (frozenset.union(*sets) - frozenset.intersection(*sets) for sets in by_kind.values())
    return frozenset().union(*varying)


def pattern_of(action: str, arguments: frozenset[str]) -> str:
    """Return an action with `…` in place of its arguments, of numbers, and of words with a number after them."""
    parts = action.split()
    replaced = parts[:1]
    for word, after in zip(parts[1:], [*parts[2:], ""], strict=False):
        part = ANY if word in arguments or word.isdigit() or after.isdigit() else word
        if part != ANY or replaced[-1] != ANY:
            replaced.append(part)
    return " ".join(replaced)

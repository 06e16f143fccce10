"""Size limits of the items that a memory collects."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, TypeVar

from ictbench.records import MEMORY_BYTES, Record, canonical_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import JsonValue

Item = TypeVar("Item", bound=Record)

ITEM_BYTES = MEMORY_BYTES - 32_000
"""Maximum size of all items. The rest is for what else a memory holds, e.g. prompt[0]."""

START_CHARACTERS = 4_000
"""Maximum length of the first observation of an episode in an item."""
STARTS_BYTES = 48_000
"""Maximum size of all first observations in an item, in UTF-8 bytes of JSON: three such items fit into a memory."""


def newest_items(items: Sequence[Item], limit: int = ITEM_BYTES) -> tuple[Item, ...]:
    """Return as many of the last items as fit into a memory, in their order; none if the last one does not fit.

    Args:
        items: Items, oldest first.
        limit: Maximum size of all together, in UTF-8 bytes of JSON.
    """
    left, first = limit, len(items)
    for item in reversed(items):
        left -= _size(item.model_dump(mode="json")) + 1
        if left < 0:
            break
        first -= 1
    return tuple(items[first:])


def beginnings(starts: Sequence[str]) -> tuple[str, ...]:
    """Return the beginnings of first observations, within the limits of an item; all have an equal share of it."""
    share = STARTS_BYTES // max(len(starts), 1)
    return tuple(beginning(start[:START_CHARACTERS], share) for start in starts)


def beginning(text: str, limit: int) -> str:
    """Return as much of the beginning of a text as a limit in UTF-8 bytes of JSON allows."""
    lengths = range(len(text) + 1)
    return text[: max(bisect_right(lengths, limit, key=lambda length: _size(text[:length])) - 1, 0)]


def _size(value: JsonValue) -> int:
    return len(canonical_json(value).encode(errors="replace"))

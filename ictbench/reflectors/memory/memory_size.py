"""Size limit of the items that a memory collects."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from ictbench.records import MEMORY_BYTES, Record, canonical_json

if TYPE_CHECKING:
    from collections.abc import Sequence

Item = TypeVar("Item", bound=Record)

ITEM_BYTES = MEMORY_BYTES - 32_000
"""Maximum size of all items. The rest is for what else a memory holds, e.g. prompt[0]."""


def newest_items(items: Sequence[Item], limit: int = ITEM_BYTES) -> tuple[Item, ...]:
    """Return as many of the last items as fit into a memory, in their order.

    Args:
        items: Items, oldest first.
        limit: Maximum size of all together, in UTF-8 bytes of JSON.
    """
    left, first = limit, len(items)
    for item in reversed(items):
        left -= len(canonical_json(item.model_dump(mode="json")).encode(errors="replace")) + 1
        if left < 0:
            break
        first -= 1
    return tuple(items[first:])

"""Base class of learners that ask a language model and keep a memory, and the sizes that they share."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, TypeVar

from ictbench.records import ADDED_BYTES, MEMORY_BYTES, Record, canonical_json
from ictbench.reflectors.llm.llm_reflector import LLMReflector

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ictbench.records import Division
    from ictbench.reflectors.reflector import Context

Item = TypeVar("Item", bound=Record)

ITEM_BYTES = MEMORY_BYTES - 32_000
"""Maximum size of the items in a memory; the rest is for prompt[0] and the names of fields."""


class MemoryLearner(LLMReflector):
    """Learner of the division `memory` that asks a language model. What it keeps is in its memory; it has no state.

    An unusable reply keeps prompt and memory.
    """

    division: ClassVar[Division] = "memory"


def prompt_room(context: Context) -> int:
    """Return the maximum size of a prompt in UTF-8 bytes, which leaves room for what the memory adds."""
    return context.prompt_cap - ADDED_BYTES


def newest_items(items: Sequence[Item], limit: int = ITEM_BYTES) -> tuple[Item, ...]:
    """Return the last items that fit into a memory, in their order.

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

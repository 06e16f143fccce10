"""Text that a memory adds to the prompt of an episode, within its size limit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ictbench.records import ADDED_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterable


def fitting(title: str, blocks: Iterable[str], cap: int = ADDED_BYTES) -> str:
    """Return a title and the blocks that fit, in their order; empty if none fits.

    Args:
        title: First line.
        blocks: Texts, the most important first. One that does not fit is left out, and later ones may still fit.
        cap: Maximum size of the whole in UTF-8 bytes.
    """
    text = title
    for block in blocks:
        longer = f"{text}\n{block}"
        if len(longer.encode(errors="replace")) <= cap:
            text = longer
    return "" if text == title else text

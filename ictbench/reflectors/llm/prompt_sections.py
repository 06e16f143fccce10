"""A section of short texts that is appended to a prompt, within a size limit."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def append_section(prompt: str, title: str, blocks: Sequence[str]) -> str:
    """Return the prompt followed by a title and the blocks, or the prompt alone if there are no blocks."""
    return "\n".join([prompt, "", title, *blocks]) if blocks else prompt


def newest_that_fit(prompt: str, title: str, blocks: Sequence[str], cap: int) -> list[str]:
    """Return the blocks that fit, chosen from the last to the first and in their original order.

    Args:
        prompt: Text before the section.
        title: Title of the section.
        blocks: Candidates, oldest first.
        cap: Maximum size of prompt and section in UTF-8 bytes.
    """
    kept: list[str] = []
    for block in reversed(blocks):
        if len(append_section(prompt, title, [block, *kept]).encode(errors="replace")) <= cap:
            kept.insert(0, block)
    return kept

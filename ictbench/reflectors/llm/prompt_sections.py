"""A prompt that is prompt[0] with what was gathered below it, within a cap."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def compose(own: str, title: str, blocks: Sequence[str]) -> str:
    """The prompt's own text, and below it, under a title, the blocks; only its own text where there are none."""
    return "\n".join([own, "", title, *blocks]) if blocks else own


def last_that_fit(own: str, title: str, blocks: Sequence[str], cap: int) -> list[str]:
    """Those blocks with which the prompt has at most `cap` UTF-8 bytes, chosen from the last to the first."""
    kept: list[str] = []
    for block in reversed(blocks):
        if len(compose(own, title, [block, *kept]).encode(errors="replace")) <= cap:
            kept.insert(0, block)
    return kept

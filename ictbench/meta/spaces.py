"""Gymnasium space of texts, for prompts and experience."""

from __future__ import annotations

import string
from typing import TYPE_CHECKING, Any

from gymnasium.spaces import Text

from ictbench.visible_text import is_encodable

if TYPE_CHECKING:
    import numpy as np

CHARACTERS = string.ascii_letters + string.digits + string.punctuation + " \n\t"
CUT_MARK = "\n[cut here]"


class Utf8Text(Text):
    """All texts of at most `max_length` bytes of UTF-8. Samples consist of printable ASCII."""

    def __init__(self, max_length: int, *, seed: int | np.random.Generator | None = None) -> None:
        super().__init__(max_length, min_length=0, charset=CHARACTERS, seed=seed)

    def contains(self, x: Any) -> bool:
        """Return whether `x` is a text that is short enough."""
        return isinstance(x, str) and is_encodable(x) and len(x.encode()) <= self.max_length


def truncate(text: str, size: int) -> str:
    """Return the text, cut to `size` bytes of UTF-8 including a mark at its end if it is longer."""
    raw = text.encode(errors="replace")
    if len(raw) <= size:
        return raw.decode()
    return raw[: size - len(CUT_MARK)].decode(errors="ignore") + CUT_MARK

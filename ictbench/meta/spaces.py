"""The space of texts, for prompts and experience."""

from __future__ import annotations

import string
from typing import TYPE_CHECKING, Any

from gymnasium.spaces import Text

if TYPE_CHECKING:
    import numpy as np

CHARACTERS = string.ascii_letters + string.digits + string.punctuation + " \n\t"


class AnyText(Text):
    """All texts of at most `max_length` bytes of UTF-8. Samples are of the characters of an ASCII terminal."""

    def __init__(self, max_length: int, *, seed: int | np.random.Generator | None = None) -> None:
        super().__init__(max_length, min_length=0, charset=CHARACTERS, seed=seed)

    def contains(self, x: Any) -> bool:
        """Whether it is a text that is short enough."""
        return isinstance(x, str) and is_text(x) and len(x.encode()) <= self.max_length


def is_text(text: str) -> bool:
    """Whether UTF-8 can hold it: half a surrogate pair it cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def shortened(text: str, size: int) -> str:
    """The text, cut to `size` bytes of UTF-8 with a mark at its end if it is longer."""
    raw = text.encode(errors="replace")
    if len(raw) <= size:
        return raw.decode()
    mark = "\n[cut here]"
    return raw[: size - len(mark)].decode(errors="ignore") + mark

"""Submission that a board cannot show."""

from __future__ import annotations

from dataclasses import dataclass

from ictbench.errors import IctbenchError
from ictbench.visible_text import one_line

MAX_SLUG, MAX_REASON = 80, 500
"""Maximum characters of a bad entry's name and reason."""


@dataclass(frozen=True, slots=True)
class BadEntry:
    """Submission that a board cannot show, and why; its other entries are shown all the same."""

    slug: str
    """Name of its folder, in visible characters."""
    reason: str
    """One line of visible characters."""

    @classmethod
    def of(cls, slug: str, error: Exception) -> BadEntry:
        """Return the bad entry whose processing raised an error."""
        reason = str(error) if isinstance(error, IctbenchError) else f"{type(error).__name__}: {error}"
        return cls(one_line(slug)[:MAX_SLUG], one_line(reason[:MAX_REASON]))

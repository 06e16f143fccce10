"""Live counts of one family of a run."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class FamilyProgress:
    """Counts of one family."""

    turns: int
    """Planned turns, over all loops."""
    episodes: int
    """Planned episodes; a shared one counts wherever it is used."""
    turns_done: int = 0
    episodes_done: int = 0
    solved: int = 0
    loops_done: int = 0

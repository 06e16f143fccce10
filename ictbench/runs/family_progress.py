"""Live counts of one family of a run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


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
    selection: dict[int, tuple[int, int]] = field(default_factory=dict)
    """Solved and finished selection episodes by index of the prompt, over the loops."""

    def add_selection(self, prompt_index: int, outcomes: Sequence[bool]) -> None:
        """Count the outcomes of a prompt's selection tasks in one loop."""
        solved, done = self.selection.get(prompt_index, (0, 0))
        self.selection[prompt_index] = solved + sum(outcomes), done + len(outcomes)

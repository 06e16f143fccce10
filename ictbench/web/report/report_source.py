"""Input of a report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ictbench.records import Episode, Memory
    from ictbench.results.schema import Result


@dataclass(frozen=True, slots=True)
class ReportSource:
    """One run: its name, its result and its recorded episodes."""

    name: str
    result: Result
    episodes: Callable[[], Iterator[Episode]]
    """Start an iteration over all episodes, in the order of their keys."""
    state: str = ""
    """How far the run is, in words; empty for a finished run."""
    memories: Callable[[], Iterator[Memory]] = lambda: iter(())
    """Start an iteration over the different memories of its learner, in the order of family, loop and turn."""

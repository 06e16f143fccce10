"""What a report is made from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ictbench.records import Episode
    from ictbench.results.schema import Result


@dataclass(frozen=True, slots=True)
class ReportSource:
    """One run: how it is called, its result, its recorded episodes."""

    name: str
    result: Result
    episodes: Callable[[], Iterator[Episode]]
    """Begins a pass over all of them, in the order of their keys."""

"""Differences between runs that make their numbers hard to compare."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ictbench.results.comparability import disagreements

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ictbench.results.schema import Result


def run_differences(results: Sequence[Result]) -> Iterator[str]:
    """Yield one line per difference, the most serious first; none for a single run."""
    for name, values in (*disagreements(results), ("finished loops", tuple(map(_finished_loops, results)))):
        if len(set(values)) > 1:
            yield f"{name}: {' / '.join(values)}"


def _finished_loops(result: Result) -> str:
    """Return each distinct list of loop indices once: families usually have the same."""
    lists = dict.fromkeys(str([loop.index for loop in family.loops]) for family in result.families)
    return " and ".join(lists)

"""In what runs differ that makes their numbers hard to compare."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ictbench.results.comparability import disagreements

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ictbench.results.schema import Result


def differences(results: Sequence[Result]) -> Iterator[str]:
    """One line a difference, the gravest first; none for one run."""
    for name, values in (*disagreements(results), ("finished loops", tuple(map(_loops, results)))):
        if len(set(values)) > 1:
            yield f"{name}: {' / '.join(values)}"


def _loops(result: Result) -> str:
    """Each set of loop indices once: families usually have the same."""
    sets = dict.fromkeys(str([loop.index for loop in family.loops]) for family in result.families)
    return " and ".join(sets)

"""Failed episodes and unusable reflections of a result, by kind."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ictbench.results.schema import FamilyResult


def failure_counts(families: Iterable[FamilyResult]) -> tuple[Counter[str], Counter[str]]:
    """Return the number of episodes that the model failed, and of unusable reflections, by kind."""
    failed: Counter[str] = Counter()
    unusable: Counter[str] = Counter()
    for family in families:
        if family.behaviour:
            failed.update(family.behaviour.failed)
            unusable.update(family.behaviour.reflection_failures)
    return failed, unusable


def counts_by_kind(counts: Mapping[str, int]) -> str:
    """Return counts as text, e.g. `truncated 7, empty 1`, the largest first; empty without any."""
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{kind} {count}" for kind, count in ordered if count)


def failures_text(failed: Mapping[str, int], unusable: Mapping[str, int]) -> str:
    """Return the failures of actor and reflector as text, e.g. `truncated 7; reflections: too_long 1`."""
    reflections = f"reflections: {counts_by_kind(unusable)}" if any(unusable.values()) else ""
    return "; ".join(filter(None, (counts_by_kind(failed), reflections)))

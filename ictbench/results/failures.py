"""Failed episodes and unusable reflections of a result, by kind."""

from __future__ import annotations

from collections import Counter
from itertools import chain
from statistics import fmean
from typing import TYPE_CHECKING

from ictbench.results.formatting import signed_number

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from ictbench.records import EpisodeSummary
    from ictbench.results.schema import FamilyResult

Episodes = list[list["EpisodeSummary"]]
"""Episodes of a loop by test task."""


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


def count_failed(loops: Iterable[Episodes]) -> int:
    """Return how many episodes the model failed."""
    return sum(episode.end == "failed" for loop in loops for task in loop for episode in task)


def gain_unfailed(base: Sequence[Episodes], best: Sequence[Episodes]) -> float | None:
    """Return the gain without the pairs of test episodes of which one failed.

    A failed episode counts as not solved. Where a model fails more often under one prompt than under another, this
    gain shows how much of the difference comes from that.

    Args:
        base: Test episodes under `prompt[0]`, by loop.
        best: Test episodes of the same tasks and replicates under the best prompts.

    Returns:
        The mean over the loops in which a pair is left; None if no episode failed, or if no pair is left.
    """
    if not count_failed(base) + count_failed(best):
        return None
    gains = [
        [
            after.solved - before.solved
            for before, after in zip(chain(*one), chain(*other), strict=True)
            if "failed" not in (before.end, after.end)
        ]
        for one, other in zip(base, best, strict=True)
    ]
    kept = [fmean(differences) for differences in gains if differences]
    return fmean(kept) if kept else None


def failures_beside_gain(role: str, families: Sequence[FamilyResult]) -> str:
    """Return how often the actor failed in the test episodes of a role's families, and the gain both ways, as a text.

    Returns:
        A sentence; empty if no test episode failed.
    """
    measured = [(family.measures, family.behaviour) for family in families if family.measures and family.behaviour]
    base, best = (sum(getattr(behaviour, name) for _, behaviour in measured) for name in ("failed_base", "failed_best"))
    if not base + best:
        return ""
    episodes = sum(sum(behaviour.ends.values()) for _, behaviour in measured)
    gains = [
        behaviour.gain_unfailed if behaviour.failed_base + behaviour.failed_best else measures.gain.value
        for measures, behaviour in measured
    ]
    known = [gain for gain in gains if gain is not None]
    unfailed = signed_number(fmean(known)) if len(known) == len(gains) else "unknown"
    gain = fmean(measures.gain.value for measures, _ in measured)
    return (
        f"Failed test episodes, {role}: {base} of {episodes} under prompt[0], {best} under the best prompts; gain "
        f"{signed_number(gain)} with failures as losses, {unfailed} without the pairs of episodes of which one failed."
    )


def failure_remarks(families: Sequence[FamilyResult]) -> Iterator[str]:
    """Yield a sentence on the failed test episodes of each role that has some."""
    for role in sorted({family.role for family in families}):
        if text := failures_beside_gain(role, [family for family in families if family.role == role]):
            yield text

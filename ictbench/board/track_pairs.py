"""Comparison of all pairs of entries of a track on the same tasks."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from statistics import fmean
from typing import TYPE_CHECKING

import numpy as np

from ictbench.board.near_copies import group_near_copies, join_groups
from ictbench.results.all_pairs import all_pairs_p
from ictbench.results.intervals import mean_interval
from ictbench.results.pairing import PairedFamily, difference_samples
from ictbench.results.significance import ALPHA

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ictbench.board.entries import Entry
    from ictbench.board.entry_facts import Outcomes
    from ictbench.results import Interval
    from ictbench.results.standard_errors import Floats


@dataclass(frozen=True, slots=True)
class Pair:
    """Comparison of two entries of a track on the same tasks."""

    one: str
    other: str
    difference: Interval
    """`best` of `one` minus `best` of `other`, mean over held-out families."""
    p: float
    """Two-sided p-value, corrected for all pairs of the track."""

    @property
    def better(self) -> str | None:
        """Slug of the significantly better entry; None for a tie."""
        if self.p > ALPHA:
            return None
        return self.one if self.difference.value > 0 else self.other


@dataclass(frozen=True, eq=False)
class Comparisons:
    """All pairs of the ranked entries of a track. Intervals are computed when they are asked for."""

    outcomes: dict[str, Outcomes]
    """By slug, in the order of the p-values."""
    p: Floats
    """Corrected p-values, entries × entries."""
    groups: Sequence[int]
    """Group of near-copies of each entry."""
    shared: bool
    known: dict[tuple[str, str], Interval] = field(default_factory=dict)
    """Differences that were computed before, by the slugs of two entries in order."""
    differences: dict[tuple[str, str], Interval] = field(default_factory=dict)
    """Differences that were asked for."""

    @cached_property
    def positions(self) -> dict[str, int]:
        """Positions of the entries in the p-values, by slug."""
        return {slug: position for position, slug in enumerate(self.outcomes)}

    def pair(self, one: str, other: str) -> Pair:
        """Return the comparison of two entries, in the order of their slugs; it is computed once."""
        key = (min(one, other), max(one, other))
        if (difference := self.differences.get(key) or self.known.get(key)) is None:
            difference = difference_of(self.outcomes[key[0]], self.outcomes[key[1]], self.shared)
        self.differences[key] = difference
        return Pair(*key, difference, float(self.p[self.positions[one], self.positions[other]]))

    def ranks(self) -> list[tuple[int, int]]:
        """Return the best and the worst rank of each entry that cannot be excluded.

        Groups of near-copies are counted, and the own group is not: a group is better if one of its members is, and
        worse if all are.
        """
        best = np.array([best_of(outcomes) for outcomes in self.outcomes.values()])
        better = (self.p <= ALPHA) & (best > best[:, None])
        worse = (self.p <= ALPHA) & (best < best[:, None])
        names, group = np.unique(self.groups, return_inverse=True)
        members = np.eye(len(names))[group]  # as real numbers, whose products are fast
        other = np.ones((len(best), len(names)), dtype=bool)
        other[np.arange(len(best)), group] = False
        above = ((better @ members > 0) & other).sum(axis=1)
        below = ((worse @ members == members.sum(axis=0)) & other).sum(axis=1)
        return [(1 + int(a), len(names) - int(b)) for a, b in zip(above, below, strict=True)]


def best_of(outcomes: Outcomes) -> float:
    """Return the mean `best` over families."""
    return fmean(float(family["best"].mean()) for family in outcomes.values())


def difference_of(one: Outcomes, other: Outcomes, shared: bool) -> Interval:
    """Return `best` of one entry minus `best` of another."""
    families = [PairedFamily(name, "held-out", other[name], one[name]) for name in one]
    return mean_interval(difference_samples(families, "best", shared=shared), shared=shared)


def compare_all(
    entries: Sequence[Entry], outcomes: dict[str, Outcomes], same: Mapping[str, Entry], shared: bool
) -> Comparisons:
    """Compare all pairs of entries, which are sorted by slug, so that their order on disk does not matter.

    Args:
        entries: The entries.
        outcomes: Their outcomes, by slug.
        same: The earlier entry with the same results, by slug; it may not be one of the entries.
        shared: Whether all loops of a family have the same tasks, in the same order.
    """
    names = sorted(outcomes[entries[0].slug])
    families = [np.stack([outcomes[entry.slug][name]["best"] for entry in entries]) for name in names]
    groups = group_near_copies([entry.submission.submitted_by for entry in entries], families, shared=shared)
    slugs = [entry.slug for entry in entries]
    earlier = [slugs.index(same[slug].slug) if slug in same and same[slug].slug in slugs else None for slug in slugs]
    groups = join_groups(groups, earlier, families, shared=shared)
    ps = all_pairs_p(families, groups, shared=shared)
    return Comparisons({entry.slug: outcomes[entry.slug] for entry in entries}, ps, groups, shared)

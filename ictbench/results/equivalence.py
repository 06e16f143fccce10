"""Whether two arms are as good as equal: two one-sided tests (Schuirmann 1987), each at 5 %.

They show equivalence where the 90 % interval of the difference lies within a margin on either side of 0. Failing to
show a difference is not enough, and neither is a difference of 0 seen in a few loops that vary much.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ictbench.results.intervals import Estimate, Sample, estimate
from ictbench.results.schema import Interval

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ictbench.results.intervals import Floats

TOST_CONFIDENCE = 0.9
"""Of the interval: both tests together at 5 % each."""


def difference_of_means(one: Sequence[Floats], other: Sequence[Floats]) -> Interval:
    """Mean over families of `other` less that of `one`, with its 90 % interval, where the two share no tasks.

    Each family is loops x tasks of outcomes, with at least two loops. Loops are the independent units; the two
    variances are combined after Welch and Satterthwaite.
    """
    before, after = (estimate([Sample(family) for family in families]) for families in (one, other))
    parts = [(float(found.error) ** 2, float(found.freedom)) for found in (before, after)]
    total = sum(part for part, _ in parts)
    freedom = total**2 / sum(part**2 / degrees for part, degrees in parts)
    return _interval(Estimate(after.value - before.value, total**0.5, freedom))


def mean_of_differences(differences: Sequence[Floats], *, shared: bool) -> Interval:
    """The same where both played the same tasks: from task by task `other` less `one`, by family.

    `shared` says that all loops of a family have the same tasks.
    """
    return _interval(estimate([Sample(family) for family in differences], shared=shared))


def _interval(found: Estimate) -> Interval:
    value, half = float(found.value), float(found.half_width(TOST_CONFIDENCE))
    return Interval(value=value, low=max(-1.0, value - half), high=min(1.0, value + half))

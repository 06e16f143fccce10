"""Equivalence of two arms by two one-sided tests (Schuirmann 1987), each at 5 %.

The tests show equivalence if the 90 % interval of the difference lies within a margin around 0. A difference that is
not significant does not show equivalence, and neither does a difference of 0 in a few loops that vary much.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ictbench.results.schema import Interval
from ictbench.results.standard_errors import MeanError, mean_error

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ictbench.results.standard_errors import Floats

TOST_CONFIDENCE = 0.9
"""Confidence of the interval that corresponds to both tests at 5 % each."""


def difference_of_means(one: Sequence[Floats], other: Sequence[Floats]) -> Interval:
    """Return the mean over families of `other` minus that of `one`, for arms that played different tasks.

    Loops are the independent units. The variances of both arms are combined after Welch and Satterthwaite.

    Args:
        one: Outcomes by family, each loops × tasks with at least two loops.
        other: Outcomes of the other arm.

    Returns:
        The difference with its 90 % interval.
    """
    before, after = (mean_error(families) for families in (one, other))
    variances = [(float(arm.error) ** 2, float(arm.freedom)) for arm in (before, after)]
    total = sum(variance for variance, _ in variances)
    freedom = total**2 / sum(variance**2 / degrees for variance, degrees in variances)
    return _interval(MeanError(after.value - before.value, total**0.5, freedom))


def mean_of_differences(differences: Sequence[Floats], *, shared: bool) -> Interval:
    """Return the mean over families of differences by task, for arms that played the same tasks.

    Args:
        differences: Outcomes of the other arm minus those of the first, by family, each loops × tasks.
        shared: Whether all loops of a family have the same tasks.

    Returns:
        The difference with its 90 % interval.
    """
    return _interval(mean_error(differences, shared=shared))


def _interval(difference: MeanError) -> Interval:
    from scipy.special import stdtrit  # takes 0.1 s to import

    value = float(difference.value)
    half_width = float(stdtrit(difference.freedom, 0.5 + TOST_CONFIDENCE / 2) * difference.error)
    return Interval(value=value, low=max(-1.0, value - half_width), high=min(1.0, value + half_width))

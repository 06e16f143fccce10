"""95 % intervals of means over fixed, equally weighted families.

- What only tasks vary (success under prompt[0]): the bound of Gaffke (2005) over tasks. For outcomes of 0 and 1, it is
  the interval of Clopper and Pearson (1934).
- What loops vary (everything after prompt[0]): Student's t with the standard error of `standard_errors`, but
  - at least as far from the mean as Gaffke's bound over loops where one more loop may change success as much as the
    loop that changed it most, in either direction: a few loops that agree do not show that every loop does the same;
  - at most as far as Gaffke's bound over loops where one more loop may do whatever is possible. If all loops of a
    family kept prompt[0], they do not show what other prompts do, and both bounds are this one.
- Ratios of two means: all ratios r for which the interval of numerator - r·denominator holds 0 (Fieller 1954).
- Shares of loops: the interval of Clopper and Pearson (1934).

Gaffke's bound is a quantile of a weighted mean of the observations and of one more at the end of the possible range,
with weights from a uniform Dirichlet distribution (Learned-Miller and Thomas 2020). The quantile is that of the beta
distribution with the same range, mean and variance, which is exact for two different values. Families are pooled after
centring. `benchmarks/interval_coverage.py` measures the coverage of these intervals and of others.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ictbench.results.schema import Interval
from ictbench.results.standard_errors import mean_error, task_variance

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from ictbench.results.standard_errors import Floats

    Bools = NDArray[np.bool_]

CONFIDENCE = 0.95
MIN_LOOPS = 3
MAX_STEP = 1e6
"""Distance from the estimate of a ratio beyond which the search for the end of its interval gives up."""
DIGITS = 12
"""Decimal places of an interval: later ones depend on the order of loops, tasks and families."""


@dataclass(frozen=True, slots=True)
class Changes:
    """Changes of a mean by the prompts that the loops of one family found; leading axes hold independent samples."""

    loops: Floats
    """Change by loop."""
    kept: Bools
    """Whether a loop kept prompt[0]."""
    low: Any
    """Smallest mean change that is possible."""
    high: Any
    """Largest mean change that is possible."""

    def __neg__(self) -> Changes:
        """Return the opposite changes."""
        return Changes(-self.loops, self.kept, -self.high, -self.low)


@dataclass(frozen=True, slots=True)
class Sample:
    """Values or paired differences of one family, loops × tasks; leading axes hold independent samples."""

    values: Floats
    bounds: tuple[float, float]
    """Smallest and largest possible value."""
    changes: tuple[Changes, ...] = ()
    """Changes by found prompts that the mean consists of, one per arm; empty if loops differ only by their tasks."""

    @property
    def has_interval(self) -> bool:
        """Whether there are enough loops for an interval."""
        return bool(self.values.shape[-2] >= MIN_LOOPS)

    def __neg__(self) -> Sample:
        """Return the sample of the opposite values."""
        low, high = self.bounds
        return Sample(-self.values, (-high, -low), tuple(-change for change in self.changes))


class Ends(NamedTuple):
    """Means over families with the ends of their intervals; arrays if many samples are estimated at once."""

    value: Any
    low: Any
    high: Any


def mean_interval(families: Sequence[Sample], *, shared: bool = False, confidence: float = CONFIDENCE) -> Interval:
    """Return the mean over families with its interval; see `mean_ends`.

    If a family has fewer than three loops, there is no interval. The order of loops, tasks and families does not
    matter.
    """
    families = sorted((_ordered(family, shared) for family in families), key=lambda family: family.values.tobytes())
    if not all(family.has_interval for family in families):
        return Interval(value=_mean(families))
    value, low, high = (round(float(end), DIGITS) for end in mean_ends(families, shared=shared, confidence=confidence))
    return Interval(value=value, low=low, high=high)


def mean_ends(families: Sequence[Sample], *, shared: bool = False, confidence: float = CONFIDENCE) -> Ends:
    """Return the mean over families of the mean over their loops' tasks, with the ends of its interval.

    Args:
        families: One sample per family, each with at least two loops; all or none have changes.
        shared: Whether all loops of a family have the same tasks, in the same order.
        confidence: Share of results whose interval holds the true mean.
    """
    probability = 0.5 + confidence / 2
    value = np.mean([family.values.mean(axis=(-2, -1)) for family in families], axis=0)
    opposite = [-family for family in families]
    if not families[0].changes:
        above, below = (_gaffke_over_tasks(sample, shared, probability) for sample in (families, opposite))
    else:
        half_width = _student(families, shared, probability)
        above, below = (_over_loops(sample, shared, half_width, probability) for sample in (families, opposite))
    low, high = (np.mean([family.bounds[end] for family in families]) for end in (0, 1))
    return Ends(value, np.maximum(low, value - below), np.minimum(high, value + above))


def ratio_interval(
    value: float, residuals: Callable[[float], Sequence[Sample]], *, low: float, shared: bool = False
) -> Interval:
    """Return a ratio of two means over families with its interval, cut to `low` … 1.

    The interval holds all ratios r for which numerator - r·denominator may be 0. If it does not end, there is none.

    Args:
        value: The ratio.
        residuals: Returns numerator - r·denominator for a ratio r, one sample per family.
        low: Smallest possible ratio.
        shared: Whether all loops of a family have the same tasks, in the same order.
    """

    def below(ratio: float) -> float:
        """Return how far a ratio lies below the interval; negative if it does not."""
        return mean_interval(residuals(ratio), shared=shared).low or 0.0

    def above(ratio: float) -> float:
        return -(mean_interval(residuals(ratio), shared=shared).high or 0.0)

    if not all(family.has_interval for family in residuals(value)):
        return Interval(value=value)
    step = 1.0
    while value - step > low and below(value - step) <= 0:
        step *= 2
        if step > MAX_STEP:
            return Interval(value=value)
    return Interval(value=value, low=_end(below, value, max(low, value - step)), high=_end(above, value, 1.0))


def share_interval(count: int, total: int) -> Interval:
    """Return a share of independent trials with the exact binomial interval.

    It also covers the mean of several proportions with equally many trials each (Hoeffding 1956).
    """
    # scipy.stats.binomtest finds the same ends by root search: slower, and equal to 12 digits only.
    from scipy.special import betaincinv

    tail = (1 - CONFIDENCE) / 2
    low = float(betaincinv(count, total - count + 1, tail)) if count else 0.0
    high = float(betaincinv(count + 1, total - count, 1 - tail)) if count < total else 1.0
    return Interval(value=count / total, low=low, high=high)


def _ordered(family: Sample, shared: bool) -> Sample:
    """Return the sample with loops and tasks in an order that depends on the values only.

    Changes may be in another order: only their mean and the largest of them matter.
    """
    if not np.isfinite(family.values).all():
        raise ValueError("the values of an interval must be finite")
    rows = np.sort(family.values, axis=1)
    values = (family.values if shared else rows)[np.lexsort(rows.T)]
    if shared:
        values = values[:, np.lexsort(np.sort(values, axis=0))]
    return replace(
        family, values=values, changes=tuple(replace(one, loops=np.sort(one.loops)) for one in family.changes)
    )


def _mean(families: Sequence[Sample]) -> float:
    return round(float(np.mean([family.values.mean() for family in families])), DIGITS)


def _end(excess: Callable[[float], float], inside: float, bound: float) -> float:
    """Return the end of the interval between a ratio inside it and a bound."""
    from scipy.optimize import brentq

    if bound == inside or excess(bound) <= 0:
        return bound
    if excess(inside) >= 0:
        return inside
    return float(brentq(excess, *sorted((inside, bound)), xtol=1e-9))


def _student(families: Sequence[Sample], shared: bool, probability: float) -> Any:
    """Return half the width of Student's interval."""
    from scipy.special import stdtrit  # takes 0.1 s to import

    scale = max(abs(bound) for family in families for bound in family.bounds)
    mean = mean_error([family.values for family in families], shared=shared, scale=scale)
    return stdtrit(mean.freedom, probability) * mean.error


def _gaffke_over_tasks(families: Sequence[Sample], shared: bool, probability: float) -> Any:
    """Return the distance of the upper end from the mean, with the tasks as units."""
    values = [family.values for family in families]
    tasks = [one.mean(axis=-2) if shared else one.reshape(*one.shape[:-2], -1) for one in values]
    reach = np.mean([family.bounds[1] - family.values.mean(axis=(-2, -1)) for family in families], axis=0)
    return gaffke_quantile(pool(tasks), [reach], probability)


def _over_loops(families: Sequence[Sample], shared: bool, half_width: Any, probability: float) -> Any:
    """Return the distance of the upper end from the mean, with the loops as units."""
    units = pool([family.values.mean(axis=-1) for family in families])
    likely, possible = [], []
    for arm in zip(*(family.changes for family in families), strict=True):
        mean = np.mean([change.loops.mean(axis=-1) for change in arm], axis=0)
        high = np.mean([change.high + 0 * mean for change in arm], axis=0)
        likely.append(np.mean([_reach(change) for change in arm], axis=0) - mean)
        possible.append(high - mean)
    games = _games(families) if shared else None
    least, most = (gaffke_quantile(units, reaches, probability, games) for reaches in (likely, possible))
    return np.minimum(np.maximum(half_width, least), most)


def _reach(change: Changes) -> Any:
    """Return the largest change that one more loop of a family may show."""
    largest = np.minimum(abs(change.loops).max(axis=-1), change.high)
    return np.where(change.kept.all(axis=-1), change.high, largest)


class Units(NamedTuple):
    """Deviations of independent units from the mean of their family, pooled over families."""

    number: float
    """Number of units; if families differ in it, the number with which the mean would be as precise."""
    variance: Any
    least: Any
    most: Any

    def mirrored(self) -> Units:
        """Return the units with deviations of the opposite sign."""
        return self._replace(least=-self.most, most=-self.least)


def pool(families: Sequence[Floats]) -> Units:
    """Return the pooled deviations; units are on the last axis."""
    deviations = [family - family.mean(axis=-1, keepdims=True) for family in families]
    number = len(families) ** 2 / sum(1 / family.shape[-1] for family in families)
    variance = np.mean([(one**2).sum(axis=-1) / max(1, one.shape[-1] - 1) for one in deviations], axis=0)
    least, most = [one.min(axis=-1) for one in deviations], [one.max(axis=-1) for one in deviations]
    return Units(number, variance, np.min(least, axis=0), np.max(most, axis=0))


def _games(families: Sequence[Sample]) -> Units:
    """Return the deviations of games that all loops of a family share, with the variance that is theirs alone."""
    games = pool([family.values.mean(axis=-2) for family in families])
    return games._replace(variance=np.mean([task_variance(family.values) for family in families], axis=0))


def gaffke_quantile(units: Units, reaches: Sequence[Any], probability: float, games: Units | None = None) -> Any:
    """Return the distance of Gaffke's upper bound from the mean of the units.

    Args:
        units: Observations.
        reaches: Distances from the mean to the end of the range, one per arm; each arm has a further unit there.
        probability: Probability that the true mean is below the bound.
        games: Games shared by the units; their mean varies around that of all games.
    """
    further, count = [np.maximum(reach, 0.0) for reach in reaches], units.number + 1
    mean = sum(further) / count
    variance = (units.variance + sum(reach**2 for reach in further) / count) * units.number / count / (count + 1)
    low, high = np.minimum(units.least, 0.0), np.maximum(units.most, sum(further))
    if games is not None:
        variance = variance + games.variance / games.number
        low, high = low + games.least, high + games.most
    return _quantile(low, high, mean, variance, probability)


def _quantile(low: Any, high: Any, mean: Any, variance: Any, probability: float) -> Any:
    """Return the quantile of a beta distribution with this range, mean and variance; at least 0."""
    from scipy.special import betaincinv, ndtri

    width, certain = high - low, (high <= low) | (variance <= 0)
    width, variance = np.where(certain, 1.0, width), np.where(certain, 1.0, variance)
    share = (mean - low) / width
    total = share * (1 - share) * width**2 / variance - 1
    with np.errstate(invalid="ignore"):
        found = low + width * betaincinv(share * total, (1 - share) * total, probability)
    # A beta distribution that is very narrow within its range is normal.
    found = np.where(np.isfinite(found), found, mean + ndtri(probability) * variance**0.5)
    return np.maximum(0.0, np.where(certain, mean, found))

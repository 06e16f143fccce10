"""95 % intervals of means over fixed, equally weighted families.

- What only tasks vary (success under prompt[0]): the bound of Gaffke (2005) over tasks. For outcomes of 0 and 1, it is
  the interval of Clopper and Pearson (1934).
- What loops vary (everything after prompt[0]): Student's t with the standard error of `standard_errors`, but
  - at least as far from the mean as Gaffke's bound over loops where one more loop may change success a little more than
    the others, or as much in the other direction: a few loops that agree do not show that every loop does the same;
  - at most as far as Gaffke's bound over loops where one more loop may do whatever is possible. If all loops kept
    prompt[0], they do not show what other prompts do, and both bounds are this one.
- Ratios of two means: all ratios r for which the interval of numerator - r·denominator holds 0 (Fieller 1954).
- Shares of loops: the interval of Clopper and Pearson (1934).

`benchmarks/interval_coverage.py` measures the coverage of these intervals and of others.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ictbench.results.gaffke import Units, gaffke_quantile, pool
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
    ends = mean_ends(families, shared=shared, confidence=confidence)
    # Adding 0 turns -0.0 into 0.0.
    value, low, high = (round(float(end), DIGITS) + 0.0 for end in ends)
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
    return gaffke_quantile(pool(tasks), [_distance(families)], probability)


def _over_loops(families: Sequence[Sample], shared: bool, half_width: Any, probability: float) -> Any:
    """Return the distance of the upper end from the mean, with the loops as units."""
    units = pool([family.values.mean(axis=-1) for family in families])
    likely, possible, single = [], [], len(families[0].changes) == 1
    for arm in zip(*(family.changes for family in families), strict=True):
        mean = np.mean([change.loops.mean(axis=-1) for change in arm], axis=0)
        likely.append(_reach(arm, single=single) - mean)
        possible.append(np.mean([change.high + 0 * mean for change in arm], axis=0) - mean)
    games, furthest = (_games(families), _distance(families)) if shared else (None, 0.0)
    least = gaffke_quantile(units, likely, probability, games)
    most = gaffke_quantile(units, possible, probability, games, furthest)
    return np.minimum(np.maximum(half_width, least), most)


def _reach(arm: Sequence[Changes], *, single: bool) -> Any:
    """Return the largest mean change upwards, over the families of an arm, that one more loop is expected to show.

    In a family it is the largest change of a loop, in either direction. If there is a single arm and m of the family's
    loops changed their prompt, it is at least (m + 1) / m of the largest change upwards, as of the end of a uniform
    distribution. A family all of whose loops kept prompt[0] may change as much as the others; if no loop of any family
    changed it, what is possible counts.
    """
    changed = [(~change.kept).sum(axis=-1) for change in arm]
    likely = []
    for change, number in zip(arm, changed, strict=True):
        up, down = change.loops.max(axis=-1), -change.loops.min(axis=-1)
        largest = np.maximum(up * (1 + single / np.maximum(number, 1)), np.maximum(up, down))
        likely.append(np.where(number > 0, largest, -np.inf))
    most = np.max(likely, axis=0)
    most = np.where(np.isfinite(most), most, np.inf)
    reach = [np.where(np.isfinite(one), one, most) for one in likely]
    return np.mean([np.minimum(one, change.high) for one, change in zip(reach, arm, strict=True)], axis=0)


def _distance(families: Sequence[Sample]) -> Any:
    """Return the distance from the mean to the largest possible value."""
    return np.mean([family.bounds[1] - family.values.mean(axis=(-2, -1)) for family in families], axis=0)


def _games(families: Sequence[Sample]) -> Units:
    """Return the deviations of games that all loops of a family share, with the variance that is theirs alone."""
    games = pool([family.values.mean(axis=-2) for family in families])
    return games._replace(variance=np.mean([task_variance(family.values) for family in families], axis=0))

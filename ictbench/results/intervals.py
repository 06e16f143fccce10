"""95 % intervals of the protocol.

- Independent loops: Student's t over per-loop means.
- Loops that share their games: loops and games are crossed random effects, with the variance of the analysis of
  variance and the degrees of freedom of Hillis (2007).
- Families are fixed and equally weighted; their variances are combined after Welch (1947) and Satterthwaite (1946).
- The squared standard error of a family has two lower bounds, in the manner of Agresti and Coull (1998), so that
  outcomes that happen to agree do not suggest certainty: one as if two more tasks had been observed, one as if two more
  loops had kept prompt[0].
- Ratios of two means: the interval of Fieller (1954).
- Shares of loops: the interval of Clopper and Pearson (1934).

`benchmarks/interval_coverage.py` measures the coverage of these intervals.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ictbench.results.schema import Interval

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

CONFIDENCE = 0.95
MIN_LOOPS = 3
MAX_STEP = 1e6
"""Distance from the estimate of a ratio beyond which the search for the end of its interval gives up."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """Mean over families with its standard error; arrays if many samples are estimated at once."""

    value: Any
    error: Any
    freedom: Any
    """Degrees of freedom of the error, for Student's t."""

    def half_width(self, confidence: float = CONFIDENCE) -> Any:
        """Return half the width of the two-sided interval."""
        from scipy.special import stdtrit  # takes 0.1 s to import

        return stdtrit(self.freedom, 0.5 + confidence / 2) * self.error


@dataclass(frozen=True, slots=True)
class Sample:
    """Values or paired differences of one family, loops × tasks; leading axes hold independent samples."""

    values: Floats
    unchanged: Floats | None = None
    """Means that two loops would have which keep prompt[0], on the last axis; None if they are unknown."""

    @property
    def has_interval(self) -> bool:
        """Whether there are enough loops for an interval."""
        return bool(self.values.shape[-2] >= MIN_LOOPS)


def estimate(families: Sequence[Sample], *, shared: bool = False, scale: float = 1.0) -> Estimate:
    """Estimate the mean over families of the mean over their loops' tasks.

    Args:
        families: One sample per family, each with at least two loops.
        shared: Whether all loops of a family have the same tasks, in the same order.
        scale: Values lie from -scale to scale.
    """
    value = np.mean([family.values.mean(axis=(-2, -1)) for family in families], axis=0)
    errors = [_squared_error(family, shared, scale) for family in families]
    variances = [(error / len(families) ** 2, freedom) for error, freedom in errors]
    total = sum(variance for variance, _ in variances)
    freedom = total**2 / sum(variance**2 / freedom for variance, freedom in variances)
    return Estimate(value, total**0.5, freedom)


def mean_interval(
    families: Sequence[Sample], bounds: tuple[float, float], *, shared: bool = False, confidence: float = CONFIDENCE
) -> Interval:
    """Return the mean over families with its interval, cut to `bounds`; see `estimate`.

    If a family has fewer than three loops, there is no interval.
    """
    if not all(family.has_interval for family in families):
        return Interval(value=_mean(families))
    mean = estimate(families, shared=shared, scale=max(map(abs, bounds)))
    value, half_width = float(mean.value), float(mean.half_width(confidence))
    return Interval(value=value, low=max(bounds[0], value - half_width), high=min(bounds[1], value + half_width))


def ratio_interval(
    numerators: Sequence[Sample], denominators: Sequence[Sample], *, low: float, shared: bool = False
) -> Interval:
    """Return the ratio of two means over families with its interval, cut to `low` … 1.

    The interval holds all ratios r for which numerator - r·denominator may be 0. If the denominator itself may be 0,
    the ratio may be anything, and there is no interval.

    Args:
        numerators: One sample per family; values lie from -1 to 1 and do not exceed those of the denominators.
        denominators: Values lie from 0 to 1 and are not all 0.
        low: Smallest possible ratio.
        shared: Whether all loops of a family have the same tasks, in the same order.
    """
    value = _mean(numerators) / _mean(denominators)

    def excess(ratio: float) -> float:
        """Return how far a ratio lies outside the interval."""
        residuals = [_subtract(n, ratio, d) for n, d in zip(numerators, denominators, strict=True)]
        return _excess(residuals, shared, scale=max(1.0, 1.0 - ratio))

    if not all(family.has_interval for family in numerators) or _excess(denominators, shared) <= 0:
        return Interval(value=value)
    step = 1.0
    while value - step > low and excess(value - step) <= 0:
        step *= 2
        if step > MAX_STEP:
            return Interval(value=value)
    return Interval(value=value, low=_end(excess, value, max(low, value - step)), high=_end(excess, value, 1.0))


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


def _mean(families: Sequence[Sample]) -> float:
    return float(np.mean([family.values.mean() for family in families]))


def _subtract(one: Sample, factor: float, other: Sample) -> Sample:
    """Return one sample minus `factor` times another sample of the same loops and tasks."""
    values = one.values - factor * other.values
    if one.unchanged is None or other.unchanged is None:
        return Sample(values)
    return Sample(values, one.unchanged - factor * other.unchanged)


def _excess(families: Sequence[Sample], shared: bool, scale: float = 1.0) -> float:
    """Return how much further the mean is from 0 than its interval allows."""
    mean = estimate(families, shared=shared, scale=scale)
    return float(abs(mean.value) - mean.half_width())


def _end(excess: Callable[[float], float], inside: float, bound: float) -> float:
    """Return the end of the interval between a ratio inside it and a bound."""
    from scipy.optimize import brentq

    if bound == inside or excess(bound) <= 0:
        return bound
    return float(brentq(excess, *sorted((inside, bound)), xtol=1e-9))


def _squared_error(family: Sample, shared: bool, scale: float) -> tuple[Any, Any]:
    """Return the squared standard error of a family's mean and its degrees of freedom.

    It is at least the error with two more loops that keep prompt[0]: a few loops that all learned, or all did not
    learn, do not show that every loop does the same.
    """
    error, freedom = (_crossed_error if shared else _independent_error)(family.values, scale)
    if family.unchanged is None:
        return error, freedom
    loops = np.concatenate([family.values.mean(axis=-1), family.unchanged], axis=-1)
    least = loops.var(axis=-1) / loops.shape[-1]
    return np.maximum(error, least), np.where(least > error, family.values.shape[-2] - 1.0, freedom)


def _independent_error(family: Floats, scale: float) -> tuple[Any, Any]:
    """Return squared error and degrees of freedom from the variance of the loops, or from the floor if it is larger."""
    loops, tasks = family.shape[-2:]
    variance = family.mean(axis=-1).var(axis=-1, ddof=1) / loops
    flat = family.reshape(*family.shape[:-2], loops * tasks)
    return np.maximum(variance, _floor(flat, scale)), loops - 1.0


def _crossed_error(family: Floats, scale: float) -> tuple[Any, Any]:
    """Return squared error and degrees of freedom for a family whose loops share their tasks.

    With mean squares of loops, tasks and their interaction, the variance is (MS_L + max(0, MS_T - MS_LT)) / LT, and
    its degrees of freedom are (MS_L + max(0, MS_T - MS_LT))² / (MS_L² / (L - 1)). If loops agree, the latter grow
    without bound although the tasks are few, so they are limited to the degrees of freedom of the tasks.
    """
    loops, tasks = family.shape[-2:]
    by_loop, by_task = family.mean(axis=-1), family.mean(axis=-2)
    floor = _floor(by_task, scale)
    if tasks < 2:
        return floor, np.ones_like(floor)
    rest = family - by_loop[..., :, None] - by_task[..., None, :] + family.mean(axis=(-2, -1))[..., None, None]
    of_loops = tasks * by_loop.var(axis=-1, ddof=1)
    of_tasks = loops * by_task.var(axis=-1, ddof=1)
    of_rest = (rest**2).sum(axis=(-2, -1)) / ((loops - 1) * (tasks - 1))
    both = of_loops + np.maximum(0.0, of_tasks - of_rest)
    with np.errstate(divide="ignore", invalid="ignore"):
        freedom = np.where(of_loops > 0, both**2 / (of_loops**2 / (loops - 1)), np.inf)
    return np.maximum(both / (loops * tasks), floor), np.minimum(freedom, tasks - 1.0)


def _floor(values: Floats, scale: float) -> Any:
    """Return the smallest squared standard error of a mean of values from -scale to scale.

    It is that of a sample with two more values, whose squares add up to scale².
    """
    count = values.shape[-1] + 2
    mean_square = ((values**2).sum(axis=-1) + scale**2) / count
    return (mean_square - (values.sum(axis=-1) / count) ** 2) / count

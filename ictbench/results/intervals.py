"""95 % intervals of the protocol.

Independent loops: per-loop means are compared with Student's t. Loops that share their games: loops and games are
crossed random effects, with the variance of the analysis of variance and the degrees of freedom of Hillis (2007).
Families are fixed and equally weighted, their variances combined after Welch (1947) and Satterthwaite (1946). A
family's squared standard error has two floors, in the manner of Agresti and Coull (1998), so that what happens to
agree does not claim certainty: one as if two more tasks had been seen, one as if two more loops had kept prompt[0].
Ratios of two means have the interval of Fieller (1954), shares of loops that of Clopper and Pearson (1934).
`benchmarks/interval_coverage.py` shows how often all of these hold the truth.
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
FARTHEST = 1e6
"""A ratio whose interval reaches so far may be anything."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over families with its standard error; an array of each where many samples are estimated at once."""

    value: Any
    error: Any
    freedom: Any
    """Degrees of freedom of the error, for Student's t."""

    def half_width(self, confidence: float = CONFIDENCE) -> Any:
        """Of the two-sided interval."""
        from scipy.special import stdtrit  # 0.1 s to import

        return stdtrit(self.freedom, 0.5 + confidence / 2) * self.error


@dataclass(frozen=True, slots=True)
class Sample:
    """One family's values or paired differences: the last two axes are loops and tasks, others samples apart."""

    values: Floats
    unchanged: Floats | None = None
    """What two loops would have that keep prompt[0], on the last axis; None where that says nothing."""

    @property
    def has_interval(self) -> bool:
        """Whether there are loops enough."""
        return bool(self.values.shape[-2] >= MIN_LOOPS)


def estimate(families: Sequence[Sample], *, shared: bool = False, scale: float = 1.0) -> Estimate:
    """Mean over families of the mean over their loops' tasks.

    `shared` says that all loops of a family have the same tasks, in the same order; `scale` that values lie from
    -scale to scale. Every family needs two loops.
    """
    value = np.mean([family.values.mean(axis=(-2, -1)) for family in families], axis=0)
    errors = [_squared_error(family, shared, scale) for family in families]
    parts = [(error / len(families) ** 2, freedom) for error, freedom in errors]
    total = sum(part for part, _ in parts)
    return Estimate(value, total**0.5, total**2 / sum(part**2 / freedom for part, freedom in parts))


def mean_interval(
    families: Sequence[Sample], bounds: tuple[float, float], *, shared: bool = False, confidence: float = CONFIDENCE
) -> Interval:
    """Mean over families of the mean over their loops' tasks, with its interval; see `estimate`.

    All values lie within `bounds`, and the interval is cut to them. With fewer than three loops there is none.
    """
    if not all(family.has_interval for family in families):
        return Interval(value=_mean(families))
    found = estimate(families, shared=shared, scale=max(map(abs, bounds)))
    value, half = float(found.value), float(found.half_width(confidence))
    return Interval(value=value, low=max(bounds[0], value - half), high=min(bounds[1], value + half))


def ratio_interval(
    numerators: Sequence[Sample], denominators: Sequence[Sample], *, low: float, shared: bool = False
) -> Interval:
    """Ratio of two means over families, from `low` to 1: all ratios r for which numerator - r·denominator may be 0.

    Numerators lie from -1 to 1 and never above their denominators, which lie from 0 to 1 and are not all 0. Where
    the denominator itself may be 0 the ratio may be anything, and there is no interval.
    """
    value = _mean(numerators) / _mean(denominators)

    def excess(ratio: float) -> float:
        """How far a ratio is outside the interval."""
        rests = [_less(n, ratio, d) for n, d in zip(numerators, denominators, strict=True)]
        return _excess(rests, shared, scale=max(1.0, 1.0 - ratio))

    if not all(family.has_interval for family in numerators) or _excess(denominators, shared) <= 0:
        return Interval(value=value)
    step = 1.0
    while value - step > low and excess(value - step) <= 0:
        step *= 2
        if step > FARTHEST:
            return Interval(value=value)
    return Interval(value=value, low=_end(excess, value, max(low, value - step)), high=_end(excess, value, 1.0))


def share_interval(count: int, total: int) -> Interval:
    """A share of independent trials, with the exact interval for a binomial proportion.

    It also holds for the mean of several proportions with equally many trials each (Hoeffding 1956).
    """
    from scipy.special import betaincinv

    tail = (1 - CONFIDENCE) / 2
    low = float(betaincinv(count, total - count + 1, tail)) if count else 0.0
    high = float(betaincinv(count + 1, total - count, 1 - tail)) if count < total else 1.0
    return Interval(value=count / total, low=low, high=high)


def _mean(families: Sequence[Sample]) -> float:
    return float(np.mean([family.values.mean() for family in families]))


def _less(one: Sample, factor: float, other: Sample) -> Sample:
    """One sample less so many times another of the same loops and tasks."""
    rest = one.values - factor * other.values
    if one.unchanged is None or other.unchanged is None:
        return Sample(rest)
    return Sample(rest, one.unchanged - factor * other.unchanged)


def _excess(families: Sequence[Sample], shared: bool, scale: float = 1.0) -> float:
    """How far the mean is from 0, in excess of what its interval allows."""
    found = estimate(families, shared=shared, scale=scale)
    return float(abs(found.value) - found.half_width())


def _end(excess: Callable[[float], float], inside: float, bound: float) -> float:
    """Where the interval ends between a ratio inside it and a bound."""
    from scipy.optimize import brentq

    if bound == inside or excess(bound) <= 0:
        return bound
    return float(brentq(excess, *sorted((inside, bound)), xtol=1e-9))


def _squared_error(family: Sample, shared: bool, scale: float) -> tuple[Any, Any]:
    """Squared standard error of a family's mean, and its degrees of freedom.

    It is at least what it would be with two more loops that keep prompt[0]: a few loops that all learned, or all
    did not, do not show that every loop does.
    """
    error, freedom = (_crossed_error if shared else _independent_error)(family.values, scale)
    if family.unchanged is None:
        return error, freedom
    loops = np.concatenate([family.values.mean(axis=-1), family.unchanged], axis=-1)
    least = loops.var(axis=-1) / loops.shape[-1]
    return np.maximum(error, least), np.where(least > error, family.values.shape[-2] - 1.0, freedom)


def _independent_error(family: Floats, scale: float) -> tuple[Any, Any]:
    """From the spread of the loops, or the floor if that is more."""
    loops, tasks = family.shape[-2:]
    spread = family.mean(axis=-1).var(axis=-1, ddof=1) / loops
    flat = family.reshape(*family.shape[:-2], loops * tasks)
    return np.maximum(spread, _floor(flat, scale)), loops - 1.0


def _crossed_error(family: Floats, scale: float) -> tuple[Any, Any]:
    """Squared standard error and degrees of freedom of the mean of a family whose loops share their tasks.

    With mean squares of loops, tasks and their interaction, the variance is (MS_L + max(0, MS_T - MS_LT)) / LT, and
    its degrees of freedom are (MS_L + max(0, MS_T - MS_LT))² / (MS_L² / (L - 1)). Where loops agree the latter grow
    beyond all bounds, though the tasks are few: they are never more than tasks give.
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
    """Least squared standard error of the mean of values from -scale to scale, as if two more had been seen."""
    count = values.shape[-1] + 2
    mean_square = ((values**2).sum(axis=-1) + scale**2) / count
    return (mean_square - (values.sum(axis=-1) / count) ** 2) / count

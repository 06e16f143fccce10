"""95 % intervals of the protocol.

Independent loops: per-loop means are compared with Student's t. Loops that share their games: loops and games are
crossed random effects, with the variance of the analysis of variance and the degrees of freedom of Hillis (2007).
Families are fixed and equally weighted, their variances combined after Welch (1947) and Satterthwaite (1946). A
family's squared standard error has a floor, in the manner of Agresti and Coull (1998), so that loops or games
which happen to agree do not claim certainty.
"""

from __future__ import annotations

from statistics import fmean, variance
from typing import TYPE_CHECKING

from ictbench.results.schema import Interval

if TYPE_CHECKING:
    from collections.abc import Sequence

CONFIDENCE = 0.95
MIN_LOOPS = 3

Family = tuple[tuple[float, ...], ...]
"""Per loop, the value or paired difference of each task; all loops of a family have equally many tasks."""


def mean_interval(families: Sequence[Family], bounds: tuple[float, float], *, shared: bool = False) -> Interval:
    """Mean over families of the mean over their loops' tasks, with its interval, cut to `bounds`.

    Every family and loop needs at least one value. With fewer than three loops in a family there is no interval.
    `shared` says that all loops of a family have the same tasks, in the same order.
    """
    value = fmean(fmean(fmean(loop) for loop in family) for family in families)
    if any(len(family) < MIN_LOOPS for family in families):
        return Interval(value=value)
    errors = [crossed_error(family) if shared else (squared_error(family), len(family) - 1) for family in families]
    parts = [(error / len(families) ** 2, degrees) for error, degrees in errors]
    total = sum(part for part, _ in parts)
    freedom = total**2 / sum(part**2 / degrees for part, degrees in parts)
    from scipy.special import stdtrit  # 0.1 s to import, and only needed here

    half = float(stdtrit(freedom, 0.5 + CONFIDENCE / 2)) * total**0.5
    return Interval(value=value, low=max(bounds[0], value - half), high=min(bounds[1], value + half))


def squared_error(family: Family) -> float:
    """Squared standard error of a family's mean: from the spread of its loops, or the floor if that is more."""
    spread = variance([fmean(loop) for loop in family]) / len(family)
    return max(spread, _floor([value for loop in family for value in loop]))


def crossed_error(family: Family) -> tuple[float, float]:
    """Squared standard error and degrees of freedom of the mean of a family whose loops share their tasks.

    With mean squares of loops, tasks and their interaction, the variance is (MS_L + max(0, MS_T - MS_LT)) / LT, and
    its degrees of freedom are (MS_L + max(0, MS_T - MS_LT))² / (MS_L² / (L - 1)). Where loops agree the latter grow
    beyond all bounds, though the tasks are few: they are never more than tasks give.
    """
    loops, tasks = len(family), len(family[0])
    by_loop, by_task = [fmean(loop) for loop in family], [fmean(values) for values in zip(*family, strict=True)]
    floor = _floor(by_task)
    if tasks < 2:
        return floor, 1.0
    mean = fmean(by_loop)
    of_loops = tasks * variance(by_loop)
    of_tasks = loops * variance(by_task)
    rest = sum(
        (value - by_loop[row] - by_task[column] + mean) ** 2
        for row, loop in enumerate(family)
        for column, value in enumerate(loop)
    ) / ((loops - 1) * (tasks - 1))
    both = of_loops + max(0.0, of_tasks - rest)
    freedom = both**2 / (of_loops**2 / (loops - 1)) if of_loops else float("inf")
    return max(both / (loops * tasks), floor), min(freedom, tasks - 1.0)


def _floor(values: Sequence[float]) -> float:
    """Least squared standard error of the mean of values from -1 to 1, as if two more had been seen."""
    count = len(values) + 2
    return ((sum(value**2 for value in values) + 1) / count - (sum(values) / count) ** 2) / count

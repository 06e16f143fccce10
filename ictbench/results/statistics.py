"""95 % intervals of the protocol, for independent loops.

Per-loop means are compared with Student's t; families are fixed and equally weighted, their variances combined
after Welch (1947) and Satterthwaite (1946). A family's squared standard error has a floor, in the manner of
Agresti and Coull (1998), so that loops which happen to agree do not claim certainty.
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


def mean_interval(families: Sequence[Family], bounds: tuple[float, float]) -> Interval:
    """Mean over families of the mean over their loops' tasks, with its interval, cut to `bounds`.

    Every family and loop needs at least one value. With fewer than three loops in a family there is no interval.
    """
    value = fmean(fmean(fmean(loop) for loop in family) for family in families)
    if any(len(family) < MIN_LOOPS for family in families):
        return Interval(value=value)
    parts = [(squared_error(family) / len(families) ** 2, len(family) - 1) for family in families]
    total = sum(part for part, _ in parts)
    freedom = total**2 / sum(part**2 / degrees for part, degrees in parts)
    from scipy.special import stdtrit  # 0.1 s to import, and only needed here

    half = float(stdtrit(freedom, 0.5 + CONFIDENCE / 2)) * total**0.5
    return Interval(value=value, low=max(bounds[0], value - half), high=min(bounds[1], value + half))


def squared_error(family: Family) -> float:
    """Squared standard error of a family's mean: from the spread of its loops, or the floor if that is more."""
    spread = variance([fmean(loop) for loop in family]) / len(family)
    values = [value for loop in family for value in loop]
    count = len(values) + 2
    floor = (sum(value**2 for value in values) + 1) / count - (sum(values) / count) ** 2
    return max(spread, floor / count)

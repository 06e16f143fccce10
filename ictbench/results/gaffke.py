"""Gaffke's bound of a mean of bounded observations, whatever their distribution (Gaffke 2005).

It is a quantile of a weighted mean of the observations and of one more at the end of the possible range, with weights
from a uniform Dirichlet distribution (Learned-Miller and Thomas 2020). Here, the quantile is that of the beta
distribution with the same range, mean and variance. For two different values it is exact, and equals the bound of
Clopper and Pearson (1934). Several families are pooled after centring; the further observation counts once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ictbench.results.standard_errors import Floats


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


def gaffke_quantile(
    units: Units, reaches: Sequence[Any], probability: float, games: Units | None = None, furthest: Any = 0.0
) -> Any:
    """Return the distance of Gaffke's upper bound from the mean of the units.

    Args:
        units: Observations.
        reaches: Distances from the mean to the end of the range, one per arm; each arm has a further unit there.
        probability: Probability that the true mean is below the bound.
        games: Games shared by the units; their mean varies around that of all games.
        furthest: Distance from the mean to the value of a further game.
    """
    moments = _weighted(units, reaches)
    if games is not None:
        moments = moments + _weighted(games, [furthest])
    return _quantile(moments, probability)


def _weighted(units: Units, reaches: Sequence[Any]) -> Floats:
    """Return lowest and highest value, mean and variance of the weighted mean, relative to the mean of the units."""
    further, count = [np.maximum(reach, 0.0) for reach in reaches], units.number + 1
    variance = (units.variance + sum(reach**2 for reach in further) / count) * units.number / count / (count + 1)
    low, high = np.minimum(units.least, 0.0), np.maximum(units.most, sum(further))
    return np.stack(np.broadcast_arrays(low, high, sum(further) / count, variance))


def _quantile(moments: Floats, probability: float) -> Any:
    """Return the quantile of the beta distribution with these moments, see `_weighted`; at least 0."""
    from scipy.special import betaincinv, ndtri

    low, high, mean, variance = moments
    width, certain = high - low, (high <= low) | (variance <= 0)
    width, variance = np.where(certain, 1.0, width), np.where(certain, 1.0, variance)
    share = (mean - low) / width
    total = share * (1 - share) * width**2 / variance - 1
    with np.errstate(invalid="ignore"):
        found = low + width * betaincinv(share * total, (1 - share) * total, probability)
    # A beta distribution that is very narrow within its range is normal.
    found = np.where(np.isfinite(found), found, mean + ndtri(probability) * variance**0.5)
    return np.maximum(0.0, np.where(certain, mean, found))

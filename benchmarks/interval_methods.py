"""Methods for 95 % intervals that `interval_coverage.py` compares.

Each takes one sample per family and returns the ends of the interval of the mean over families.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import stdtrit

from ictbench.results.gaffke import gaffke_quantile, pool
from ictbench.results.intervals import CONFIDENCE, mean_ends
from ictbench.results.standard_errors import mean_error

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from ictbench.results.intervals import Sample

    Floats = NDArray[np.float64]
    Ends = tuple[Any, Any]

PROBABILITY = 0.5 + CONFIDENCE / 2
BISECTIONS = 12
SPREAD_PRIOR, MAX_BET = 0.25, 0.5
"""Prior variance and largest share of the capital that a betting interval stakes."""


def chosen(families: Sequence[Sample], shared: bool) -> Ends:
    """Return the intervals of ictbench."""
    return mean_ends(families, shared=shared)[1:]


def student(families: Sequence[Sample], shared: bool) -> Ends:
    """Student's t with a floor of two pseudo-tasks."""
    mean = mean_error([family.values for family in families], shared=shared, scale=_scale(families))
    return _cut(families, mean.value, stdtrit(mean.freedom, PROBABILITY) * mean.error)


def two_floors(families: Sequence[Sample], shared: bool) -> Ends:
    """Student's t with floors of two pseudo-tasks and of two pseudo-loops that keep prompt[0]."""
    errors = []
    for family in families:
        mean = mean_error([family.values], shared=shared, scale=_scale(families))
        squared, freedom = mean.error**2, mean.freedom
        if family.changes:
            pairs = (family.changes * 2)[:2]
            loops = family.values.mean(axis=-1)
            pseudo = [loops.mean(axis=-1) - change.loops.mean(axis=-1) for change in pairs]
            extended = np.concatenate([loops, np.stack(pseudo, axis=-1)], axis=-1)
            least = extended.var(axis=-1) / extended.shape[-1]
            freedom = np.where(least > squared, family.values.shape[-2] - 1.0, freedom)
            squared = np.maximum(squared, least)
        errors.append((squared / len(families) ** 2, freedom))
    total = sum(squared for squared, _ in errors)
    freedom = total**2 / sum(squared**2 / freedom for squared, freedom in errors)
    return _cut(families, _value(families), stdtrit(freedom, PROBABILITY) * total**0.5)


def gaffke(families: Sequence[Sample], shared: bool) -> Ends:
    """Gaffke's bound over loops, with the bounds of the values as the ends of their range."""
    units, value = pool([family.values.mean(axis=-1) for family in families]), _value(families)
    low, high = _bounds(families)
    above = gaffke_quantile(units, [high - value], PROBABILITY)
    below = gaffke_quantile(units.mirrored(), [value - low], PROBABILITY)
    return np.maximum(low, value - below), np.minimum(high, value + above)


def gaffke_and_student(families: Sequence[Sample], shared: bool) -> Ends:
    """Intersection of Gaffke's bound and Student's t; the bound alone if all loops kept prompt[0]."""
    bound, t = gaffke(families, shared), student(families, shared)
    kept = np.zeros(np.shape(bound[0]), bool)
    for arm in zip(*(family.changes for family in families), strict=True):
        kept |= np.all([change.kept.all(axis=-1) for change in arm], axis=0)
    low, high = np.maximum(bound[0], t[0]), np.minimum(bound[1], t[1])
    return np.where(kept, bound[0], low), np.where(kept, bound[1], high)


def betting(families: Sequence[Sample], shared: bool) -> Ends:
    """Hedged-capital intervals (Waudby-Smith and Ramdas 2024), families pooled after centring."""
    value, (low, high) = _value(families), _bounds(families)
    deviations = [family.values.mean(axis=-1) - family.values.mean(axis=(-2, -1))[..., None] for family in families]
    loops = np.concatenate(deviations, axis=-1) + value[..., None]
    loops = np.clip((loops - low) / (high - low), 0.0, 1.0)
    upper, lower = _betting_end(loops, value, low, high), _betting_end(1 - loops, -value, -high, -low)
    return -lower, upper


def _betting_end(loops: Floats, value: Floats, low: float, high: float) -> Any:
    """Return the largest mean that bets on smaller values do not reject, by bisection."""
    count = loops.shape[-1]
    totals = np.cumsum(loops, axis=-1)
    before = np.arange(1, count + 1)
    means = (0.5 + totals) / (before + 1)
    spread = (SPREAD_PRIOR + np.cumsum((loops - means) ** 2, axis=-1)) / (before + 1)
    spread = np.concatenate([np.full((*loops.shape[:-1], 1), SPREAD_PRIOR), spread[..., :-1]], axis=-1)
    bets = np.sqrt(2 * np.log(2 / (1 - CONFIDENCE)) / (spread * count))
    inside, outside = np.clip((value - low) / (high - low), 0.0, 1.0), np.ones(loops.shape[:-1])
    for _ in range(BISECTIONS):
        middle = (inside + outside) / 2
        stakes = np.minimum(bets, MAX_BET / (1 - middle)[..., None].clip(1e-9))
        capital = np.maximum.accumulate(np.cumprod(1 - stakes * (loops - middle[..., None]), axis=-1), axis=-1)[..., -1]
        rejected = capital / 2 >= 1 / (1 - CONFIDENCE)
        inside, outside = np.where(rejected, inside, middle), np.where(rejected, middle, outside)
    return low + outside * (high - low)


def _value(families: Sequence[Sample]) -> Any:
    return np.mean([family.values.mean(axis=(-2, -1)) for family in families], axis=0)


def _bounds(families: Sequence[Sample]) -> tuple[float, float]:
    low, high = families[0].bounds
    return low, high


def _scale(families: Sequence[Sample]) -> float:
    return max(map(abs, families[0].bounds))


def _cut(families: Sequence[Sample], value: Any, half_width: Any) -> Ends:
    low, high = _bounds(families)
    return np.maximum(low, value - half_width), np.minimum(high, value + half_width)


METHODS: dict[str, Callable[[Sequence[Sample], bool], Ends]] = {
    "chosen": chosen,
    "two floors": two_floors,
    "t": student,
    "Gaffke": gaffke,
    "Gaffke and t": gaffke_and_student,
    "betting": betting,
}

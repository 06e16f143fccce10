"""Significance of paired differences, and Holm's correction for several tests.

- Loops with tasks of their own are independent: sign flips of whole loops (Fisher 1935). If two arms are equal, each
  loop's difference is as likely to have the other sign.
- Loops that share their games are not independent: a t test in which loops and games are crossed random effects (see
  `standard_errors`), with a lower bound of p for few loops that agree.

`benchmarks/false_positives.py` measures how often these tests reject a true null hypothesis.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ictbench.results.standard_errors import mean_error

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ictbench.results.standard_errors import Floats

Alternative = Literal["two-sided", "less"]
"""Alternative hypothesis: the mean difference is not 0, or it is below 0."""

ALPHA = 0.05
"""Significance level of all conclusions."""

MAX_EXACT_PAIRS = 16
"""Up to this many pairs of loops, all (at most 65,536) sign vectors are tried."""

RESAMPLES = 99_999
"""Number of random sign vectors for more pairs."""

SEED = 0

BATCH = 2_000
"""Sign vectors held in memory at a time."""

ROUNDING = 1e-12
"""Sums that differ by less count as equal: tasks that are repeated have fractions as values, and 1 - 2/3 is not 1/3."""

MIN_SHARED_LOOPS = 2
"""Loops without which the variance between loops that share their games is unknown."""


def paired_p(
    families: Sequence[Floats], *, shared: bool = False, scale: float = 1.0, alternative: Alternative = "two-sided"
) -> float:
    """Return the p-value of the mean over families of the mean over their loops' differences.

    Args:
        families: Differences of each family, loops × tasks.
        shared: Whether all loops of a family have the same tasks, in the same order.
        scale: Differences lie from -scale to scale.
        alternative: `two-sided`, or `less` for a test of a drop.
    """
    if shared:
        return crossed_p(families, scale, alternative)
    return sign_flip_p([family.mean(axis=-1) for family in families], alternative)


def smallest_p(
    sizes: Sequence[tuple[int, int]],
    *,
    shared: bool = False,
    scale: float = 1.0,
    alternative: Alternative = "two-sided",
) -> float:
    """Return the smallest p-value that `paired_p` can return for families of these sizes, each loops × tasks."""
    if shared:
        return crossed_p([np.full(size, -scale) for size in sizes], scale, alternative)
    return smallest_flip_p(sum(loops for loops, _ in sizes), alternative)


def sign_flip_p(
    families: Sequence[Floats], alternative: Alternative = "two-sided", *, resamples: int = RESAMPLES
) -> float:
    """Return the p-value by sign flips of loops; each family holds one difference per loop."""
    return float(sign_flip_ps(families, alternative, resamples=resamples))


def sign_flip_ps(
    families: Sequence[Floats], alternative: Alternative = "two-sided", *, resamples: int = RESAMPLES
) -> Any:
    """Return the p-values of many comparisons at once, which are the leading axes of the families.

    Random sign vectors are applied to the sorted sizes of the differences, so that the order of loops and families
    does not matter.
    """
    weighted = np.concatenate([loops / (loops.shape[-1] * len(families)) for loops in families], axis=-1)
    sizes, pairs = np.sort(np.abs(weighted), axis=-1), weighted.shape[-1]
    limit = weighted.sum(axis=-1)
    limit = (limit if alternative == "less" else -abs(limit)) + ROUNDING
    as_extreme, tried = np.zeros_like(limit), 0
    for signs in _sign_vectors(pairs, resamples):
        flipped = sizes @ signs.T
        flipped = flipped if alternative == "less" else -abs(flipped)
        as_extreme += (flipped <= limit[..., None]).sum(axis=-1)
        tried += len(signs)
    # Among random sign vectors, the observed one counts as one more.
    observed_count = 0 if pairs <= MAX_EXACT_PAIRS else 1
    return (as_extreme + observed_count) / (tried + observed_count)


def smallest_flip_p(pairs: int, alternative: Alternative = "two-sided") -> float:
    """Return the smallest p-value that `sign_flip_p` can return for this many (family, loop) pairs."""
    if pairs > MAX_EXACT_PAIRS:
        return 1 / (RESAMPLES + 1)
    return float((1 if alternative == "less" else 2) / 2**pairs)


def crossed_p(families: Sequence[Floats], scale: float = 1.0, alternative: Alternative = "two-sided") -> float:
    """Return the p-value by the crossed t test; each family holds differences, loops × games.

    It is 1 if all differences are 0, or if a family has too few loops or games to estimate their variance.
    """
    return float(crossed_ps(families, scale, alternative))


def crossed_ps(families: Sequence[Floats], scale: float = 1.0, alternative: Alternative = "two-sided") -> Any:
    """Return the p-values of many comparisons at once, which are the leading axes of the families."""
    differ = np.any([(abs(family) > ROUNDING).any(axis=(-2, -1)) for family in families], axis=0)
    if any(min(family.shape[-2:]) < MIN_SHARED_LOOPS for family in families):
        return np.ones(differ.shape)
    from scipy.special import stdtr  # takes 0.1 s to import

    value, error, freedom = mean_error(families, shared=True, scale=scale)
    t = value / error
    ps = stdtr(freedom, t) if alternative == "less" else 2 * stdtr(freedom, -abs(t))
    loops = np.concatenate([family.mean(axis=-1) / family.shape[-2] for family in families], axis=-1)
    least = agreement_p(loops.sum(axis=-1) ** 2, (loops**2).sum(axis=-1), alternative)
    return np.where(differ, np.maximum(ps, least), 1.0)


def agreement_p(squared_sum: Any, sum_of_squares: Any, alternative: Alternative = "two-sided") -> Any:
    """Return the smallest p-value that the agreement of loops allows.

    If each loop of two equal arms finds a good prompt or does not, all n pairs of loops differ in the same direction
    with a probability of up to 2 / 4^n: few loops that agree do not show that every loop does the same. n is the number
    of equal differences that would have the same ratio of squared sum to sum of squares.
    """
    pairs = squared_sum / np.maximum(sum_of_squares, ROUNDING**2)
    return np.minimum(1.0, (1 if alternative == "less" else 2) * 4.0**-pairs)


def holm(values: Sequence[float]) -> list[float]:
    """Return p-values corrected for multiple tests after Holm (1979), in the given order."""
    corrected, least = [0.0] * len(values), 0.0
    for rank, index in enumerate(sorted(range(len(values)), key=lambda i: values[i])):
        least = max(least, min(1.0, (len(values) - rank) * values[index]))
        corrected[index] = least
    return corrected


def _sign_vectors(pairs: int, resamples: int) -> Iterator[Floats]:
    """Yield all sign vectors, or random ones if there are many, in batches of vectors × pairs."""
    if pairs <= MAX_EXACT_PAIRS:
        for numbers in np.array_split(np.arange(2**pairs), -(-(2**pairs) // BATCH)):
            yield np.asarray(1.0 - 2.0 * (numbers[:, None] >> np.arange(pairs) & 1), dtype=np.float64)
        return
    rng = np.random.default_rng(SEED)
    for start in range(0, resamples, BATCH):
        yield rng.choice((-1.0, 1.0), size=(min(BATCH, resamples - start), pairs))

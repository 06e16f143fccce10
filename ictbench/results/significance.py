"""Whether differences could be chance: sign flips of whole loops, and Holm's correction for many of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ictbench.results.intervals import Floats

EXACT_PAIRS = 16
"""Up to this many pairs, all 65,536 ways to flip their signs are tried."""

RESAMPLES = 99_999
"""With more pairs, so many ways are drawn."""

SEED = 0


BATCH = 2_000
"""Ways to flip that are held in memory at a time."""


def sign_flip_p(families: Sequence[Floats]) -> float:
    """Two-sided p-value of the mean over families of the mean over their loops' differences.

    If two arms are alike, each loop's difference might as well have had the other sign (Fisher 1935).
    """
    return float(sign_flip_ps([family[:, None] for family in families])[0])


def sign_flip_ps(families: Sequence[Floats]) -> Floats:
    """The same of many comparisons at once: each family's differences are loops × comparisons."""
    weighted = np.concatenate([loops / (len(loops) * len(families)) for loops in families])
    if len(weighted) < 2:
        return np.ones(weighted.shape[1])
    observed = weighted.sum(axis=0)
    # Sums that are equal but for the order of their terms.
    slack = 1e-12 * np.abs(weighted).sum(axis=0)
    as_low, as_high = np.zeros(len(observed)), np.zeros(len(observed))
    tried = 0
    for signs in _signs(len(weighted)):
        flipped = signs @ weighted
        as_low += (flipped <= observed + slack).sum(axis=0)
        as_high += (flipped >= observed - slack).sum(axis=0)
        tried += len(signs)
    # What was seen is itself one of the ways, where they are drawn.
    own = 0 if len(weighted) <= EXACT_PAIRS else 1
    return np.minimum(1.0, 2 * (np.minimum(as_low, as_high) + own) / (tried + own))


def _signs(pairs: int) -> Iterator[Floats]:
    """All ways to flip so many signs, or those that are drawn, some at a time."""
    if pairs <= EXACT_PAIRS:
        for ways in np.array_split(np.arange(2**pairs), -(-(2**pairs) // BATCH)):
            yield np.asarray(1.0 - 2.0 * (ways[:, None] >> np.arange(pairs) & 1), dtype=np.float64)
        return
    rng = np.random.default_rng(SEED)
    for start in range(0, RESAMPLES, BATCH):
        yield rng.choice((-1.0, 1.0), size=(min(BATCH, RESAMPLES - start), pairs))


def smallest_p(pairs: int) -> float:
    """The smallest p-value that `sign_flip_p` can give for so many (family, loop) pairs."""
    return float(2 / 2**pairs if pairs <= EXACT_PAIRS else 2 / (RESAMPLES + 1))


def holm(values: Sequence[float]) -> list[float]:
    """P-values corrected for being several, after Holm (1979), in the order given."""
    corrected, least = [0.0] * len(values), 0.0
    for rank, index in enumerate(sorted(range(len(values)), key=lambda i: values[i])):
        least = max(least, min(1.0, (len(values) - rank) * values[index]))
        corrected[index] = least
    return corrected

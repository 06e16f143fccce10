"""Significance of paired differences: sign-flip tests of whole loops, and Holm's correction for several tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ictbench.results.intervals import Floats

MAX_EXACT_PAIRS = 16
"""Up to this many pairs, all (at most 65,536) sign vectors are tried."""

RESAMPLES = 99_999
"""Number of random sign vectors for more pairs."""

SEED = 0

BATCH = 2_000
"""Sign vectors held in memory at a time."""


def sign_flip_p(families: Sequence[Floats]) -> float:
    """Return the two-sided p-value of the mean over families of the mean over their loops' differences.

    If two arms are equal, each loop's difference is as likely to have the other sign (Fisher 1935).
    """
    return float(sign_flip_ps([family[:, None] for family in families])[0])


def sign_flip_ps(families: Sequence[Floats]) -> Floats:
    """Return the p-values of several comparisons at once; each family's differences are loops × comparisons."""
    weighted = np.concatenate([loops / (len(loops) * len(families)) for loops in families])
    if len(weighted) < 2:
        return np.ones(weighted.shape[1])
    observed = weighted.sum(axis=0)
    # Sums that differ only by the order of their terms count as equal.
    tolerance = 1e-12 * np.abs(weighted).sum(axis=0)
    as_low, as_high = np.zeros(len(observed)), np.zeros(len(observed))
    tried = 0
    for signs in _sign_vectors(len(weighted)):
        flipped = signs @ weighted
        as_low += (flipped <= observed + tolerance).sum(axis=0)
        as_high += (flipped >= observed - tolerance).sum(axis=0)
        tried += len(signs)
    # Among random sign vectors, the observed one counts as one more.
    observed_count = 0 if len(weighted) <= MAX_EXACT_PAIRS else 1
    return np.minimum(1.0, 2 * (np.minimum(as_low, as_high) + observed_count) / (tried + observed_count))


def _sign_vectors(pairs: int) -> Iterator[Floats]:
    """Yield all sign vectors, or random ones if there are many, in batches of vectors × pairs."""
    if pairs <= MAX_EXACT_PAIRS:
        for numbers in np.array_split(np.arange(2**pairs), -(-(2**pairs) // BATCH)):
            yield np.asarray(1.0 - 2.0 * (numbers[:, None] >> np.arange(pairs) & 1), dtype=np.float64)
        return
    rng = np.random.default_rng(SEED)
    for start in range(0, RESAMPLES, BATCH):
        yield rng.choice((-1.0, 1.0), size=(min(BATCH, RESAMPLES - start), pairs))


def smallest_p(pairs: int) -> float:
    """Return the smallest p-value that `sign_flip_p` can return for this many (family, loop) pairs."""
    return float(2 / 2**pairs if pairs <= MAX_EXACT_PAIRS else 2 / (RESAMPLES + 1))


def holm(values: Sequence[float]) -> list[float]:
    """Return p-values corrected for multiple tests after Holm (1979), in the given order."""
    corrected, least = [0.0] * len(values), 0.0
    for rank, index in enumerate(sorted(range(len(values)), key=lambda i: values[i])):
        least = max(least, min(1.0, (len(values) - rank) * values[index]))
        corrected[index] = least
    return corrected

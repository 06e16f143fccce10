"""Whether differences could be chance: sign flips of whole loops, and Holm's correction for many of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ictbench.results.statistics import Floats

EXACT_PAIRS = 16
"""Up to this many pairs, all 65,536 ways to flip their signs are tried."""

RESAMPLES = 99_999
"""With more pairs, so many ways are drawn."""

SEED = 0


def sign_flip_p(families: Sequence[Floats]) -> float:
    """Two-sided p-value of the mean over families of the mean over their loops' differences.

    If two arms are alike, each loop's difference might as well have had the other sign (Fisher 1935).
    """
    from scipy.stats import permutation_test

    weighted = np.concatenate([loops / (len(loops) * len(families)) for loops in families])
    if len(weighted) < 2:
        return 1.0
    test = permutation_test(
        (weighted,),
        lambda differences, axis: differences.sum(axis=axis),
        permutation_type="samples",
        n_resamples=np.inf if len(weighted) <= EXACT_PAIRS else RESAMPLES,
        rng=np.random.default_rng(SEED),
        batch=10_000,
    )
    return float(test.pvalue)


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

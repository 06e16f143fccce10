"""P-values of all pairs of many entries on the same tasks, corrected for the number of pairs.

- Loops with tasks of their own: step-down max-T over sign flips (Westfall and Young 1993, Romano and Wolf 2005). A flip
  gives a loop the same sign in all entries, so that dependent differences, e.g. those of copies, cost little.
- Loops that share their games: the crossed t test of each pair, with Holm's correction.

`benchmarks/false_positives.py` measures how often any true null hypothesis is rejected, and what is separated.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ictbench.results.significance import MAX_EXACT_PAIRS, MIN_SHARED_LOOPS, SEED, agreement_p
from ictbench.results.standard_errors import combined_error, crossed_variance, floor_of_sums

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ictbench.results.standard_errors import Floats

STATISTIC_FLOOR = 0.2
"""Added in quadrature to the root mean square of a pair's differences, which divides their mean.

Without it, pairs that differ in few outcomes reach the largest statistics by chance, and few entries are separated.
"""

MAX_STATISTICS = 1e9
"""Limit on sign vectors times pairs: a few seconds of one core."""

MIN_RESAMPLES, MAX_RESAMPLES = 1_999, 9_999
"""Number of random sign vectors, within that limit."""

MAX_BLOCKS = 2_048
"""More pairs than this are taken together in blocks of similar statistics, which raises p-values slightly."""

BATCH = 16
"""Sign vectors at a time, if there are many pairs."""

IN_CACHE = 262_144
"""Statistics computed at a time, so that they fit in the processor's cache."""

TOLERANCE = 1e-5
"""Statistics that differ by less count as equal: they are computed in single precision."""


def all_pairs_p(families: Sequence[Floats], groups: Sequence[int] | None = None, *, shared: bool = False) -> Floats:
    """Return the corrected two-sided p-values of all pairs of entries, entries × entries, with 1 on the diagonal.

    Args:
        families: Outcomes of each family, entries × loops × tasks, from 0 to 1.
        groups: Group of each entry. The members of a group count once: the correction is for the pairs of the first
            members only.
        shared: Whether all loops of a family have the same tasks, in the same order.
    """
    entries = len(families[0])
    pairs = np.triu_indices(entries, 1)
    result = np.ones((entries, entries))
    if entries > 1:
        first = np.zeros(entries, dtype=bool)
        first[np.unique(np.arange(entries) if groups is None else groups, return_index=True)[1]] = True
        counted = first[pairs[0]] & first[pairs[1]]
        result[pairs] = _holm(_crossed_ps(families)[pairs], counted) if shared else _max_t_ps(families, pairs, counted)
        result = np.minimum(result, result.T)
    return result


def _max_t_ps(families: Sequence[Floats], pairs: tuple[Any, Any], counted: Any) -> Floats:
    """Return the p-values of pairs by the step-down max-T procedure.

    The statistic of a pair is its mean difference divided by the root mean square of its loops' differences with a
    floor, which does not change when loops are flipped. A pair is compared with the largest flipped statistic of all
    counted pairs whose own statistic is not larger, and its p-value is at least that of every pair with a larger one.
    """
    loops = _weighted_loops(families)
    statistics, factors = _statistics(loops, pairs)
    order = np.argsort(statistics, kind="stable")
    one, other = (index[order] for index in pairs)
    statistics, factors, counted = statistics[order] - TOLERANCE, factors[order, None], counted[order]
    starts, parts = _blocks(len(order))
    alone = np.flatnonzero(~counted)
    maxima, alone_extreme = [], np.zeros(len(alone))
    for signs in _flips(len(loops), len(order)):
        flipped = np.ascontiguousarray((signs @ loops).T, dtype=np.float32)
        by_part = []
        for part, starts_in_part in parts:
            sizes = _flipped_statistics(flipped, one[part], other[part], factors[part])
            sizes *= counted[part, None]
            by_part.append(np.maximum.reduceat(sizes, starts_in_part, axis=0))
        maxima.append(np.maximum.accumulate(np.concatenate(by_part), axis=0))
        if len(alone):
            sizes = _flipped_statistics(flipped, one[alone], other[alone], factors[alone])
            alone_extreme += (sizes >= statistics[alone, None]).sum(axis=1)
    by_block = np.sort(np.concatenate(maxima, axis=1), axis=1)
    flips = by_block.shape[1]
    below = [np.searchsorted(row, part) for row, part in zip(by_block, np.split(statistics, starts[1:]), strict=True)]
    shares = 1 - np.concatenate(below) / flips
    ps = np.maximum.accumulate(shares[::-1])[::-1]
    ps[alone] = np.maximum(ps[alone], alone_extreme / flips)
    result = np.empty(len(order))
    result[order] = ps
    return result


def _blocks(pairs: int) -> tuple[Any, list[tuple[slice, Any]]]:
    """Return the start of each block of pairs, and parts of whole blocks: its pairs, and where blocks start in it."""
    starts = np.linspace(0, pairs, min(MAX_BLOCKS, pairs), endpoint=False, dtype=int)
    by_part = np.array_split(starts, min(len(starts), -(-pairs * BATCH // IN_CACHE)))
    ends = [*(some[0] for some in by_part[1:]), pairs]
    parts = [(slice(some[0], end), some - some[0]) for some, end in zip(by_part, ends, strict=True)]
    return starts, parts


def _flipped_statistics(flipped: Any, one: Any, other: Any, factors: Any) -> Any:
    """Return the statistics of pairs for flipped means of entries × flips."""
    # Indices are valid: without `mode`, numpy checks each and copies.
    sizes = np.take(flipped, one, axis=0, mode="clip")
    sizes -= np.take(flipped, other, axis=0, mode="clip")
    np.abs(sizes, out=sizes)
    sizes *= factors
    return sizes


def _weighted_loops(families: Sequence[Floats]) -> Floats:
    """Return the loops' means, loops × entries, weighted so that their sum is the mean over families."""
    return np.concatenate([family.mean(axis=-1).T / family.shape[1] for family in families]) / len(families)


def _statistics(loops: Floats, pairs: tuple[Any, Any]) -> tuple[Any, Any]:
    """Return the statistics of pairs and their factors, from the weighted loop means, loops × entries."""
    products = loops.T @ loops
    squares = products.diagonal()
    mean_square = len(loops) * (squares[pairs[0]] + squares[pairs[1]] - 2 * products[pairs])
    factors = (np.maximum(0.0, mean_square) + STATISTIC_FLOOR**2) ** -0.5
    means = loops.sum(axis=0)
    return abs(means[pairs[0]] - means[pairs[1]]) * factors, factors.astype(np.float32)


def _flips(loops: int, pairs: int) -> Iterator[Floats]:
    """Yield sign vectors in batches of vectors × loops: one of each pair of opposite vectors, or random ones."""
    batch = max(BATCH, IN_CACHE // pairs)
    exact = 2 ** (loops - 1)
    if loops <= MAX_EXACT_PAIRS and exact * pairs <= MAX_STATISTICS:
        for start in range(0, exact, batch):
            numbers = np.arange(start, min(exact, start + batch))
            yield np.asarray(1.0 - 2.0 * (numbers[:, None] >> np.arange(loops) & 1))
        return
    rng = np.random.default_rng(SEED)
    # Among random sign vectors, the observed one counts as one more.
    yield np.ones((1, loops))
    resamples = int(np.clip(MAX_STATISTICS / pairs, MIN_RESAMPLES, MAX_RESAMPLES))
    for start in range(0, resamples, batch):
        yield rng.choice((-1.0, 1.0), size=(min(batch, resamples - start), loops))


def _crossed_ps(families: Sequence[Floats]) -> Floats:
    """Return the p-values of all pairs by the crossed t test, entries × entries."""
    entries = len(families[0])
    if any(min(family.shape[1:]) < MIN_SHARED_LOOPS for family in families):
        return np.ones((entries, entries))
    from scipy.special import stdtr  # takes 0.1 s to import

    loops = _weighted_loops(families).T
    means = loops.sum(axis=1)
    differences = means[:, None] - means
    error, freedom = combined_error([_crossed_errors(family) for family in families])
    ps = 2 * stdtr(freedom, -abs(differences) / error)
    same = sum(_distances(family.reshape(entries, -1)) for family in families) < TOLERANCE
    return np.where(same, 1.0, np.maximum(ps, agreement_p(differences**2, _distances(loops))))


def _crossed_errors(family: Floats) -> tuple[Any, Any]:
    """Return squared errors and degrees of freedom of all pairs' differences, each entries × entries."""
    entries, loops, tasks = family.shape
    by_loop, by_task, mean = family.mean(axis=2), family.mean(axis=1), family.mean(axis=(1, 2))
    rest = family - by_loop[:, :, None] - by_task[:, None, :] + mean[:, None, None]
    total = tasks * (mean[:, None] - mean)
    return crossed_variance(
        _distances(by_loop - mean[:, None]),
        _distances(by_task - mean[:, None]),
        _distances(rest.reshape(entries, -1)),
        floor_of_sums(total, _distances(by_task), tasks, scale=1.0),
        loops,
        tasks,
    )


def _distances(vectors: Floats) -> Any:
    """Return the squared distances between all pairs of vectors."""
    products = vectors @ vectors.T
    squares = products.diagonal()
    return np.maximum(0.0, squares[:, None] + squares - 2 * products)


def _holm(ps: Floats, counted: Any) -> Floats:
    """Return p-values corrected after Holm (1979) for the number of counted ones."""
    order = np.argsort(ps, kind="stable")
    tests = np.cumsum(counted[order][::-1])[::-1]
    result = np.empty(len(ps))
    result[order] = np.minimum(1.0, np.maximum.accumulate(np.maximum(1, tests) * ps[order]))
    return result

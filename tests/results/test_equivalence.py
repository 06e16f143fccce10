from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from ictbench.results.equivalence import difference_of_means, mean_of_differences

seeds = st.integers(0, 2**32 - 1)


def loops(seed: int, count: int, tasks: int, level: float = 0.5) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """Return outcomes of loops with different success rates."""
    random = np.random.default_rng(seed)
    levels = np.clip(random.normal(level, 0.3, (count, 1)), 0, 1)
    return (random.random((count, tasks)) < levels).astype(float)


@given(seeds)
def test_the_interval_of_one_family_is_welchs(seed: int) -> None:
    before, after = loops(seed, 8, 400), loops(seed + 1, 5, 400)
    found = difference_of_means([before], [after])
    expected = stats.ttest_ind(after.mean(axis=1), before.mean(axis=1), equal_var=False).confidence_interval(0.9)
    assert found.value == pytest.approx(after.mean() - before.mean())
    assert (found.low, found.high) == pytest.approx((max(-1, expected.low), min(1, expected.high)))


@given(seeds)
def test_swapped_arms_have_the_opposite_difference(seed: int) -> None:
    before, after = ([loops(seed + n, 4, 20), loops(seed + n + 7, 4, 20)] for n in (0, 1))
    one, other = difference_of_means(before, after), difference_of_means(after, before)
    assert (one.value, one.low, one.high) == pytest.approx((-other.value, -(other.high or 0), -(other.low or 0)))


def test_arms_that_always_win_are_equal_within_what_the_tasks_show() -> None:
    few, many = (difference_of_means([np.ones((3, n))], [np.ones((3, n))]) for n in (2, 200))
    assert few.value == many.value == 0
    assert few.high is not None
    assert many.high is not None
    assert few.high > 0.2 > 0.01 > many.high > 0


def test_on_the_same_tasks_only_differences_matter() -> None:
    hard = np.array([[0.0, 1.0] * 50] * 3)
    apart, paired = difference_of_means([hard], [hard]), mean_of_differences([hard - hard], shared=True)
    assert paired.value == 0
    assert paired.high is not None
    assert apart.high is not None
    assert 0 < paired.high < 0.05

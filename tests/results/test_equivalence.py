"""Equal is what is shown to be equal: the interval is Welch's, and shrinks with loops, not with hope."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from ictbench.results.equivalence import difference_of_means, mean_of_differences

seeds = st.integers(0, 2**32 - 1)


def loops(seed: int, count: int, tasks: int, level: float = 0.5) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """Loops whose success varies, so that it is loops which make the error."""
    random = np.random.default_rng(seed)
    levels = np.clip(random.normal(level, 0.3, (count, 1)), 0, 1)
    return (random.random((count, tasks)) < levels).astype(float)


@given(seeds)
def test_of_one_family_it_is_welchs_interval(seed: int) -> None:
    before, after = loops(seed, 8, 400), loops(seed + 1, 5, 400)
    found = difference_of_means([before], [after])
    expected = stats.ttest_ind(after.mean(axis=1), before.mean(axis=1), equal_var=False).confidence_interval(0.9)
    assert found.value == pytest.approx(after.mean() - before.mean())
    assert (found.low, found.high) == pytest.approx((max(-1, expected.low), min(1, expected.high)))


@given(seeds)
def test_the_other_way_round_it_is_the_negative(seed: int) -> None:
    before, after = ([loops(seed + n, 4, 20), loops(seed + n + 7, 4, 20)] for n in (0, 1))
    one, other = difference_of_means(before, after), difference_of_means(after, before)
    assert (one.value, one.low, one.high) == pytest.approx((-other.value, -(other.high or 0), -(other.low or 0)))


def test_arms_that_always_win_are_equal_only_as_far_as_so_few_tasks_can_show() -> None:
    few, many = (difference_of_means([np.ones((3, n))], [np.ones((3, n))]) for n in (2, 200))
    assert few.value == many.value == 0
    assert few.high is not None
    assert many.high is not None
    assert few.high > 0.2 > 0.01 > many.high > 0


def test_on_the_same_tasks_only_differences_count() -> None:
    hard = np.array([[0.0, 1.0] * 50] * 3)
    apart, paired = difference_of_means([hard], [hard]), mean_of_differences([hard - hard], shared=True)
    assert paired.value == 0
    assert paired.high is not None
    assert apart.high is not None
    assert 0 < paired.high < 0.05

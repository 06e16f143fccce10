from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import norm, permutation_test, ttest_1samp, ttest_rel

from ictbench.results.significance import (
    crossed_p,
    holm,
    paired_p,
    sign_flip_p,
    smallest_flip_p,
    smallest_p,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray


@settings(deadline=None, max_examples=40)
@given(st.lists(st.lists(st.integers(-20, 20), min_size=3, max_size=3), min_size=1, max_size=3))
def test_the_p_value_is_the_share_of_flips_at_least_as_extreme(families: list[list[int]]) -> None:
    whole = [difference for family in families for difference in family]
    flips = itertools.product((1, -1), repeat=len(whole))
    flipped = [sum(s * d for s, d in zip(signs, whole, strict=True)) for signs in flips]
    share = np.mean([abs(one) >= abs(sum(whole)) for one in flipped])
    found = sign_flip_p([np.array(family) / 20 for family in families])
    assert found == pytest.approx(share)


def test_differences_that_are_zero_up_to_rounding_are_no_differences() -> None:
    fractions = 1 - np.array([2 / 3, 2 / 3, 2 / 3]) - 1 / 3
    assert fractions.any()
    assert sign_flip_p([fractions]) == sign_flip_p([fractions], "less") == 1


@pytest.mark.parametrize(("pairs", "p"), [(1, 1.0), (3, 0.25), (10, 2 / 1024), (12, 2 / 4096)])
def test_loops_that_all_differ_in_one_direction_reach_the_smallest_p(pairs: int, p: float) -> None:
    assert sign_flip_p([np.full(pairs, 0.3)]) == smallest_flip_p(pairs) == p
    assert sign_flip_p([np.full(pairs, -0.3)], "less") == smallest_flip_p(pairs, "less") == p / 2
    assert sign_flip_p([np.full(pairs, 0.3)], "less") == 1


def test_many_pairs_are_sampled_reproducibly() -> None:
    rng = np.random.default_rng(1)
    families = [rng.normal(0.1, 0.3, 10) for _ in range(4)]
    first = sign_flip_p(families)
    assert first == sign_flip_p(families)
    # Normal approximation of the same test.
    z = sum(family.sum() for family in families) / np.sqrt(sum((family**2).sum() for family in families))
    assert first == pytest.approx(2 * norm.sf(abs(z)), abs=0.01)
    assert sign_flip_p([np.full(10, 1.0)] * 4) == smallest_flip_p(40) == 1 / 100_000


@pytest.mark.parametrize("loops", [4, 10])
@pytest.mark.parametrize("alternative", ["two-sided", "less"])
def test_sign_flips_equal_scipys(loops: int, alternative: Any) -> None:
    rng = np.random.default_rng(2)
    families = [rng.choice([-0.1, 0.0, 0.05, 0.2], size=loops) for _ in range(3)]
    theirs = permutation_test(
        (np.concatenate(families),),
        np.sum,
        permutation_type="samples",
        alternative=alternative,
        n_resamples=9_999,
        rng=rng,
    )
    assert sign_flip_p(families, alternative) == pytest.approx(theirs.pvalue, abs=0.02)


def test_families_have_equal_weights_whatever_their_number_of_loops() -> None:
    assert sign_flip_p([np.array([3.0]), np.array([-3.0, -3.0, -3.0])]) == 1


def test_shared_games_are_a_t_test_over_games_where_loops_agree() -> None:
    """Loops that play the same outcomes are one observation of each game, however many there are."""
    games = np.array([1.0] * 12 + [-1.0] * 4 + [0.0] * 24)
    alone = ttest_rel(games, np.zeros(40)).pvalue
    for loops in (4, 6, 10):
        assert crossed_p([np.tile(games, (loops, 1))]) == pytest.approx(alone, rel=0.05)
    assert sign_flip_p([np.full(10, games.mean())]) < 0.01, "flips of loops would reject"


def test_shared_games_are_a_t_test_over_loops_where_games_agree() -> None:
    loops = np.array([0.1, 0.3, -0.2, 0.4, 0.2, 0.3, 0.1, 0.2])
    expected = ttest_1samp(loops, 0).pvalue
    assert crossed_p([np.tile(loops[:, None], (1, 400))]) == pytest.approx(expected, rel=0.05)
    assert crossed_p([np.tile(-loops[:, None], (1, 400))], alternative="less") == pytest.approx(expected / 2, rel=0.05)


@pytest.mark.parametrize(("loops", "p"), [(2, 2 / 16), (3, 2 / 64), (5, 2 / 1024)])
def test_few_loops_that_agree_on_shared_games_are_no_certainty(loops: int, p: float) -> None:
    """Two equal arms whose loops all find a good prompt, or none does, differ by 1 in every loop this often."""
    assert crossed_p([np.ones((loops, 20))]) == smallest_p([(loops, 20)], shared=True) == pytest.approx(p)
    assert smallest_p([(loops, 20)] * 2, shared=True) == pytest.approx(2 / 16**loops)
    assert smallest_p([(loops, 20)], shared=True, alternative="less") == pytest.approx(p / 2)
    # Two families, in one of which nothing differs.
    assert crossed_p([np.ones((loops, 20)), np.zeros((loops, 20))]) == pytest.approx(p)


@pytest.mark.parametrize("size", [(1, 20), (5, 1), (1, 1)])
def test_too_few_loops_or_games_have_p_1(size: tuple[int, int]) -> None:
    assert crossed_p([np.ones(size)]) == smallest_p([size], shared=True) == 1
    assert paired_p([np.ones((5, 20)), np.ones(size)], shared=True) == 1


DIFFERENCES = st.tuples(st.integers(1, 5), st.integers(1, 6), st.integers(1, 3)).flatmap(
    lambda size: arrays(float, (size[2], size[0], size[1]), elements=st.sampled_from([-1.0, 0.0, 1.0]))
)


@settings(deadline=None, max_examples=60)
@given(DIFFERENCES, st.booleans(), st.randoms(use_true_random=False))
def test_order_and_direction_do_not_matter_and_no_difference_has_p_1(
    families: NDArray[np.float64], shared: bool, random: Any
) -> None:
    p = paired_p(list(families), shared=shared)
    assert smallest_p([family.shape for family in families], shared=shared) <= p + 1e-12 <= 1 + 1e-12
    orders = [random.sample(range(size), size) for size in families.shape]
    permuted = families[np.ix_(*orders)]
    assert paired_p(list(permuted), shared=shared) == pytest.approx(p)
    assert paired_p(list(-families), shared=shared) == pytest.approx(p)
    assert paired_p(list(0 * families), shared=shared) == paired_p(list(0 * families), alternative="less") == 1
    drop, rise = (paired_p(list(sign * families), shared=shared, alternative="less") for sign in (1, -1))
    assert min(drop, rise) <= p / 2 + 1e-12 or p == 1


def test_sampled_flips_do_not_depend_on_order_or_direction() -> None:
    families = np.random.default_rng(3).normal(0.05, 0.3, (2, 12, 1))
    p = paired_p(list(families))
    assert paired_p(list(families[::-1, ::-1])) == paired_p(list(-families)) == p


def test_holm_corrects_for_several_tests() -> None:
    # 4 x 0.005, 3 x 0.01, 2 x 0.03, then 0.06 again, as corrected values must not decrease.
    assert holm([0.03, 0.005, 0.04, 0.01]) == pytest.approx([0.06, 0.02, 0.06, 0.03])
    assert holm([0.5, 0.9]) == [1.0, 1.0]
    assert holm([0.2]) == [0.2]
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_lies_between_the_plain_p_and_bonferronis(values: list[float]) -> None:
    corrected = holm(values)
    assert all(p <= c <= min(1, len(values) * p) + 1e-12 for p, c in zip(values, corrected, strict=True))
    assert [c for _, c in sorted(zip(values, corrected, strict=True))] == sorted(corrected)

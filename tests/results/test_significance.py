from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm, permutation_test

from ictbench.results.significance import holm, sign_flip_p, sign_flip_ps, smallest_p


@settings(deadline=None, max_examples=40)
@given(st.lists(st.lists(st.integers(-20, 20), min_size=3, max_size=3), min_size=1, max_size=3))
def test_the_p_value_is_the_share_of_flips_at_least_as_extreme(families: list[list[int]]) -> None:
    whole = [difference for family in families for difference in family]
    flips = itertools.product((1, -1), repeat=len(whole))
    flipped = [sum(s * d for s, d in zip(signs, whole, strict=True)) for signs in flips]
    share = np.mean([abs(one) >= abs(sum(whole)) for one in flipped])
    found = sign_flip_p([np.array(family) / 20 for family in families])
    assert found == pytest.approx(share)


@pytest.mark.parametrize(("pairs", "p"), [(1, 1.0), (3, 0.25), (10, 2 / 1024), (12, 2 / 4096)])
def test_loops_that_all_differ_in_one_direction_reach_the_smallest_p(pairs: int, p: float) -> None:
    assert sign_flip_p([np.full(pairs, 0.3)]) == smallest_p(pairs) == p


def test_many_pairs_are_sampled_reproducibly() -> None:
    rng = np.random.default_rng(1)
    families = [rng.normal(0.1, 0.3, 10) for _ in range(4)]
    first = sign_flip_p(families)
    assert first == sign_flip_p(families)
    # Normal approximation of the same test.
    z = sum(family.sum() for family in families) / np.sqrt(sum((family**2).sum() for family in families))
    assert first == pytest.approx(2 * norm.sf(abs(z)), abs=0.01)
    assert sign_flip_p([np.full(10, 1.0)] * 4) == smallest_p(40) == 2 / 100_000


@pytest.mark.parametrize("loops", [4, 10])
def test_several_comparisons_at_once_equal_single_ones_and_scipys(loops: int) -> None:
    rng = np.random.default_rng(2)
    families = [rng.choice([-0.1, 0.0, 0.05, 0.3], size=(loops, 5)) for _ in range(3)]
    found = sign_flip_ps(families)
    for column, p in enumerate(found):
        single = [family[:, column] for family in families]
        assert p == sign_flip_p(single)
        assert p == sign_flip_p([-one for one in single])
        theirs = permutation_test(
            (np.concatenate(single),), np.sum, permutation_type="samples", n_resamples=9_999, rng=rng
        )
        assert p == pytest.approx(theirs.pvalue, abs=0.02)


def test_families_have_equal_weights_whatever_their_number_of_loops() -> None:
    assert sign_flip_p([np.array([3.0]), np.array([-3.0, -3.0, -3.0])]) == 1


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

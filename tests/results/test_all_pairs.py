from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ictbench.results.all_pairs import STATISTIC_FLOOR, all_pairs_p
from ictbench.results.significance import holm, paired_p

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


def outcomes(seed: int, entries: int, loops: int, tasks: int, families: int = 2) -> list[Floats]:
    """Return random outcomes; the entries solve increasing shares."""
    rng = np.random.default_rng(seed)
    levels = np.linspace(0.3, 0.8, entries)[:, None, None]
    return [(rng.random((entries, loops, tasks)) < levels).astype(float) for _ in range(families)]


def by_definition(families: list[Floats]) -> Floats:
    """Return the step-down max-T p-values by their definition: all sign vectors, all nested sets of pairs."""
    loops = np.concatenate([family.mean(axis=-1).T / family.shape[1] for family in families]) / len(families)
    pairs = list(combinations(range(loops.shape[1]), 2))
    differences = np.array([loops[:, a] - loops[:, b] for a, b in pairs]).T
    divisor = np.sqrt(len(loops) * (differences**2).sum(axis=0) + STATISTIC_FLOOR**2)
    vectors = np.array(np.meshgrid(*[(-1, 1)] * len(loops))).reshape(len(loops), -1).T
    flipped = abs(vectors @ differences) / divisor
    observed = abs(differences.sum(axis=0)) / divisor
    result, least = np.ones((loops.shape[1],) * 2), 0.0
    for pair in np.argsort(-observed, kind="stable"):
        remaining = flipped[:, observed <= observed[pair] + 1e-9]
        least = max(least, float(np.mean(remaining.max(axis=1) >= observed[pair] - 1e-9)))
        a, b = pairs[pair]
        result[a, b] = result[b, a] = least
    return result


@pytest.mark.parametrize("seed", range(5))
def test_flips_are_the_step_down_procedure_by_its_definition(seed: int) -> None:
    families = outcomes(seed, entries=6, loops=4, tasks=10)
    assert all_pairs_p(families) == pytest.approx(by_definition(families))


@pytest.mark.parametrize("shared", [False, True])
def test_two_entries_have_the_p_of_their_comparison(shared: bool) -> None:
    for seed in range(20):
        families = outcomes(seed, entries=2, loops=5, tasks=20)
        expected = paired_p([family[0] - family[1] for family in families], shared=shared)
        assert all_pairs_p(families, shared=shared)[0, 1] == pytest.approx(expected)


def test_shared_games_are_the_crossed_test_of_each_pair_with_holms_correction() -> None:
    families = outcomes(1, entries=7, loops=5, tasks=20)
    families[0][3] = families[0][2]
    families[1][3] = families[1][2]
    pairs = list(combinations(range(7), 2))
    expected = holm([paired_p([family[a] - family[b] for family in families], shared=True) for a, b in pairs])
    found = all_pairs_p(families, shared=True)
    assert [found[pair] for pair in pairs] == pytest.approx(expected)
    assert found[2, 3] == 1


@pytest.mark.parametrize("shared", [False, True])
def test_copies_in_a_group_do_not_change_the_p_values_of_others(shared: bool) -> None:
    families = outcomes(2, entries=4, loops=5, tasks=20)
    copied = [np.concatenate([family, family[3:], family[3:]]) for family in families]
    for family in copied:
        family[4:, 0, 0] = 1 - family[4:, 0, 0]
    grouped = all_pairs_p(copied, [0, 1, 2, 3, 3, 3], shared=shared)
    assert grouped[:4, :4] == pytest.approx(all_pairs_p(families, shared=shared))
    if shared:
        assert (grouped[:4, :4] <= all_pairs_p(copied, shared=shared)[:4, :4] + 1e-12).all()


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10_000), st.integers(1, 6), st.integers(1, 4), st.integers(1, 5), st.booleans())
def test_p_values_are_symmetric_and_never_below_those_of_a_single_pair(
    seed: int, entries: int, loops: int, tasks: int, shared: bool
) -> None:
    families = outcomes(seed, entries, loops, tasks)
    found = all_pairs_p(families, shared=shared)
    assert found.shape == (entries, entries)
    assert (found == found.T).all()
    assert (found.diagonal() == 1).all()
    for a, b in combinations(range(entries), 2):
        alone = paired_p([family[a] - family[b] for family in families], shared=shared)
        assert alone - 1e-9 <= found[a, b] <= 1


def test_many_entries_take_blocks_of_pairs_and_random_flips_and_are_separated() -> None:
    rng = np.random.default_rng(0)
    levels = np.repeat([0.2, 0.5, 0.8], 30)
    families = [(rng.random((90, 10, 20)) < levels[:, None, None]).astype(float) for _ in range(2)]
    found = all_pairs_p(families)
    assert (found == all_pairs_p(families)).all()
    same = levels[:, None] == levels
    assert (found[same] > 0.05).all()
    assert (found[~same] <= 0.05).all()

from __future__ import annotations

import numpy as np
import pytest

from ictbench.board.near_copies import group_near_copies

RNG = np.random.default_rng(0)
OUTCOMES = (RNG.random((5, 40)) < 0.6).astype(float)


def changed(tasks: int) -> np.ndarray:
    """Return the outcomes with this many changed, half of them in each direction."""
    copy = OUTCOMES.copy()
    for value in (0.0, 1.0):
        places = np.argwhere(copy == value)
        copy[tuple(RNG.permutation(places)[: tasks // 2].T)] = 1 - value
    return copy


@pytest.mark.parametrize(("tasks", "groups"), [(0, [0, 0]), (10, [0, 0]), (20, [0, 1])])
def test_entries_of_one_submitter_that_agree_on_nearly_all_tasks_are_near_copies(tasks: int, groups: list[int]) -> None:
    found = group_near_copies(["me"] * 2, [np.stack([OUTCOMES, changed(tasks)])])
    assert len(set(found)) == len(set(groups))


@pytest.mark.parametrize("name", ["ME ", "Ｍｅ", "me"])
def test_spellings_of_a_submitter_are_one_submitter(name: str) -> None:
    assert group_near_copies(["me", name], [np.stack([OUTCOMES] * 2)]) == [0, 0]
    assert group_near_copies(["me", "you"], [np.stack([OUTCOMES] * 2)]) == [0, 1]


def test_a_significantly_better_version_is_no_copy() -> None:
    better = OUTCOMES.copy()
    for loop in better:
        loop[np.flatnonzero(loop == 0)[:2]] = 1
    assert abs(better - OUTCOMES).mean() == 0.05
    assert group_near_copies(["me"] * 2, [np.stack([OUTCOMES, better])]) == [0, 1]


def test_a_copy_joins_the_best_entry_that_it_copies() -> None:
    worse = OUTCOMES.copy()
    worse[0, np.flatnonzero(worse[0])[:3]] = 0
    assert group_near_copies(["me"] * 3, [np.stack([worse, OUTCOMES, 0 * OUTCOMES])]) == [1, 1, 2]


def test_one_loop_is_compared_by_agreement_alone() -> None:
    assert group_near_copies(["me"] * 2, [np.stack([OUTCOMES[:1]] * 2)]) == [0, 0]

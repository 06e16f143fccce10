from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

import ictbench
from ictbench.errors import ConfigError
from ictbench.protocol.experience import batches_of, check_experience, next_family
from ictbench.suites import Sizes

if TYPE_CHECKING:
    from ictbench.reflectors import Experience

SUITE = ictbench.load_suite("minihack-v1")
SIZE = st.integers(1, 5)


def sizes(turns: int, batch_size: int) -> Sizes:
    return Sizes(turns=turns, batch_size=batch_size, loops=1)


@given(turns=SIZE, batch=SIZE)
def test_fresh_batches_are_the_loops_order_cut_up(turns: int, batch: int) -> None:
    found = batches_of(SUITE, "read", 2, sizes(turns, batch), "fresh")
    assert [len(one) for one in found] == [batch] * turns
    assert [task for one in found for task in one] == SUITE.experience_order("read", 2, turns * batch)


@given(turns=SIZE, batch=st.integers(2, 5))
def test_halved_batches_leave_room_for_as_many_episodes_of_the_reflectors_own(turns: int, batch: int) -> None:
    found = batches_of(SUITE, "read", 0, sizes(turns, batch), "halved")
    tasks = [task for one in found for task in one]
    assert len(found) == turns
    assert all(found)
    assert 2 * len(tasks) in (turns * batch, turns * batch - 1)
    # The same tasks as any other arm meets, as far as they go, and none twice.
    assert tasks == SUITE.experience_order("read", 0, turns * batch)[: len(tasks)]
    assert max(len(one) for one in found) - min(len(one) for one in found) <= batch % 2


def test_of_batches_of_three_every_other_turn_has_one_task_and_two() -> None:
    found = batches_of(SUITE, "read", 0, sizes(4, 3), "halved")
    assert [len(one) for one in found] == [1, 2, 1, 2]


def test_retried_batches_are_the_first_one_again() -> None:
    found = batches_of(SUITE, "read", 1, sizes(3, 2), "retried")
    assert found == (tuple(SUITE.experience_order("read", 1, 2)),) * 3


def test_foreign_batches_are_those_of_the_next_family() -> None:
    assert batches_of(SUITE, "read", 1, sizes(3, 2), "foreign") == batches_of(SUITE, "puton", 1, sizes(3, 2), "fresh")
    others = Counter(next_family(SUITE, name) for name in SUITE.families)
    assert others == Counter(SUITE.families.keys())
    assert next_family(SUITE, "zap") == "room-random"


def test_a_suite_of_one_family_has_no_episodes_of_another() -> None:
    lonely = SUITE.model_copy(update={"families": {"read": SUITE.families["read"]}})
    with pytest.raises(ConfigError, match="minihack-v1 has only the family 'read'"):
        next_family(lonely, "read")


def test_sizes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ConfigError, match="gepa plays half of each batch itself and needs a batch size of at least 2"):
        check_experience("halved", sizes(2, 1), "gepa", audit=False)
    with pytest.raises(ConfigError, match="needs at least 2 turns, not 1; raise --turns"):
        check_experience("fresh", sizes(1, 3), "rules", audit=True)
    odd: tuple[Experience, ...] = ("halved", "retried", "foreign")
    for experience in odd:
        with pytest.raises(ConfigError, match=f"the experience of reflector x is {experience}; omit --audit"):
            check_experience(experience, sizes(2, 3), "x", audit=True)
        check_experience(experience, sizes(2, 3), "x", audit=False)

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

import ictbench
from ictbench.errors import ConfigError
from ictbench.protocol.experience import batches_of, check_experience, check_stream, next_family
from ictbench.suites import Sizes

if TYPE_CHECKING:
    from ictbench.reflectors import Experience

SUITE = ictbench.load_suite("minihack-v1")
SIZE = st.integers(1, 5)


def sizes(turns: int, batch_size: int) -> Sizes:
    return Sizes(turns=turns, batch_size=batch_size, loops=1)


@given(turns=SIZE, batch=SIZE)
def test_fresh_batches_divide_the_order_of_the_loop(turns: int, batch: int) -> None:
    found = batches_of(SUITE, "read", 2, sizes(turns, batch), "fresh")
    assert [len(one) for one in found] == [batch] * turns
    assert [task for one in found for task in one] == SUITE.experience_order("read", 2, turns * batch)


@given(turns=SIZE, batch=st.integers(2, 5))
def test_halved_batches_hold_half_of_the_tasks(turns: int, batch: int) -> None:
    found = batches_of(SUITE, "read", 0, sizes(turns, batch), "halved")
    tasks = [task for one in found for task in one]
    assert len(found) == turns
    assert all(found)
    assert 2 * len(tasks) in (turns * batch, turns * batch - 1)
    # They are the first tasks that other arms play.
    assert tasks == SUITE.experience_order("read", 0, turns * batch)[: len(tasks)]
    assert max(len(one) for one in found) - min(len(one) for one in found) <= batch % 2


def test_halved_batches_of_three_alternate_between_one_and_two_tasks() -> None:
    found = batches_of(SUITE, "read", 0, sizes(4, 3), "halved")
    assert [len(one) for one in found] == [1, 2, 1, 2]


def test_retried_batches_repeat_the_first_one() -> None:
    found = batches_of(SUITE, "read", 1, sizes(3, 2), "retried")
    assert found == (tuple(SUITE.experience_order("read", 1, 2)),) * 3


def test_foreign_batches_come_from_the_next_family() -> None:
    assert batches_of(SUITE, "read", 1, sizes(3, 2), "foreign") == batches_of(SUITE, "puton", 1, sizes(3, 2), "fresh")
    others = Counter(next_family(SUITE, name) for name in SUITE.families)
    assert others == Counter(SUITE.families.keys())
    assert next_family(SUITE, "zap") == "room-random"


def test_a_suite_with_one_family_has_no_foreign_experience() -> None:
    single = SUITE.model_copy(update={"families": {"read": SUITE.families["read"]}})
    with pytest.raises(ConfigError, match="minihack-v1 has only the family 'read'"):
        next_family(single, "read")


def test_sizes_that_do_not_fit_the_experience_are_refused() -> None:
    with pytest.raises(ConfigError, match="gepa plays half of each batch itself and needs a batch size of at least 2"):
        check_experience("halved", sizes(2, 1), "gepa", audit=False)
    with pytest.raises(ConfigError, match="needs at least 2 turns, not 1; raise --turns"):
        check_experience("fresh", sizes(1, 3), "rules", audit=True)
    with pytest.raises(ConfigError, match=r"reflector shuffled:x learns from another family; omit --online"):
        check_experience("foreign", sizes(2, 3), "shuffled:x", audit=False, online=True)
    kinds: tuple[Experience, ...] = ("halved", "retried", "foreign")
    for experience in kinds:
        with pytest.raises(ConfigError, match=f"the experience of reflector x is {experience}; omit --audit"):
            check_experience(experience, sizes(2, 3), "x", audit=True)
        check_experience(experience, sizes(2, 3), "x", audit=False)


def test_foreign_batches_of_a_stream_come_from_the_stream_of_the_same_order_with_other_families() -> None:
    suite = ictbench.load_suite("minihack-stream-v1")
    pairs = {name: next_family(suite, name) for name in suite.families}
    assert pairs == {
        **{name: f"train-{name}" for name in ("blocked", "interleaved", "drifting")},
        **{f"train-{name}": name for name in ("blocked", "interleaved", "drifting")},
    }
    alone = suite.model_copy(update={"families": {"blocked": suite.families["blocked"]}})
    with pytest.raises(ConfigError, match="no other blocked stream with other families than 'blocked'"):
        next_family(alone, "blocked")


def test_a_stream_keeps_its_order() -> None:
    suite = ictbench.load_suite("minihack-stream-v1")
    halved = [task.family for batch in batches_of(suite, "blocked", 0, sizes(4, 2), "halved") for task in batch]
    assert halved == ["room-dark", "read", "puton", "zap"]
    kinds: tuple[Experience, ...] = ("retried", "pooled")
    for kind in kinds:
        with pytest.raises(ConfigError, match="only experience of the kinds fresh, halved, foreign"):
            batches_of(suite, "blocked", 0, sizes(4, 2), kind)
    with pytest.raises(
        ConfigError, match=r"^`reflexion` meets the tasks of the first turn again; it cannot play a stream"
    ):
        check_stream(suite, "blocked", "retried", "`reflexion`")

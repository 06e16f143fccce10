"""Forgetting and forward transfer of made-up loops with known values."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from finished import loop
from hypothesis import given
from hypothesis import strategies as st

from ictbench.results.forgetting import Course, is_measured, stream_measures, stream_rates
from ictbench.results.measures import measure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ictbench.protocol import LoopResult


def streamed(turns: Sequence[str], tests: Sequence[str], families: str = "aabb", index: int = 0) -> LoopResult:
    """Return a loop of a stream.

    Args:
        turns: By turn, the family of each task, one letter each.
        tests: By prompt, the outcomes on the test tasks.
        families: Family of each test task.
        index: Index of the loop.
    """
    plain = loop(
        ["0"] * len(tests), dict(enumerate(tests)), best=0, batch=len(turns[0]), index=index, experience=[*turns]
    )
    batches = tuple(
        batch.model_copy(update={"families": tuple(names), "outcomes": "1" * len(names)})
        for batch, names in zip(plain.batches, turns, strict=True)
    )
    return plain.model_copy(update={"batches": batches, "test_families": tuple(families)})


# a is learned in turns 1 and 2, half of it lost in turn 3; b is known a little before turn 3, and learned in turn 4.
BLOCKED = streamed(["aa", "aa", "bb", "bb"], ["0000", "1000", "1110", "1010", "0111"])


def test_a_blocked_stream_has_one_pause_and_the_last_family_none() -> None:
    assert list(Course(BLOCKED, "a").pauses()) == [(2, 4)]
    assert list(Course(BLOCKED, "b").pauses()) == []
    measures = stream_measures([[BLOCKED]])
    assert measures is not None
    assert measures.forgetting is not None
    assert measures.forgetting.value == pytest.approx(1 - 1 / 2)
    assert measures.forward_transfer is not None
    assert measures.forward_transfer.value == pytest.approx(1 / 2 - 0)
    a, b = measures.families["a"], measures.families["b"]
    assert (a.base.value, a.last.value, b.base.value, b.last.value) == (0, 1 / 2, 0, 1)
    assert a.after is not None
    assert b.after is not None
    assert (a.after.value, b.after.value) == (1, 1)
    assert a.forward_transfer is None
    assert b.forgetting is None
    assert stream_rates(BLOCKED) == (1 / 2, 1 / 2)


def test_curves_are_in_the_order_in_which_loops_meet_families() -> None:
    reverse = streamed(["bb", "bb", "aa", "aa"], ["0000", "0010", "1011", "1010", "1101"], index=1)
    measures = stream_measures([[BLOCKED, reverse]])
    assert measures is not None
    assert measures.curves == ((0, 0.5, 1, 0.5, 0.5), (0, 0, 0.5, 0.5, 1))


def test_forgetting_is_the_mean_over_the_pauses_of_a_family() -> None:
    # a pauses in turn 2 (loses all) and in turns 4 and 5 (loses nothing, as it was not learned again).
    one = streamed(["a", "b", "a", "b", "b"], ["00", "11", "01", "01", "01", "01"], families="ab")
    assert list(Course(one, "a").pauses()) == [(1, 2), (3, 5)]
    assert list(Course(one, "b").pauses()) == [(2, 3)]
    assert stream_rates(one) == ((1 / 2 + 0) / 2, 1)


def test_turns_with_all_families_have_no_pause_and_nothing_to_transfer() -> None:
    one = streamed(["ab", "ab"], ["0000", "1000", "0000"])
    measures = stream_measures([[one]])
    assert measures is not None
    assert (measures.forgetting, measures.forward_transfer) == (None, None)
    assert stream_rates(one) == (None, None)


def test_foreign_experience_has_families_and_curves_but_no_forgetting() -> None:
    one = streamed(["xx", "yy"], ["0000", "1100", "1111"])
    measures = stream_measures([[one]])
    assert measures is not None
    assert (measures.forgetting, measures.forward_transfer) == (None, None)
    assert measures.families["a"].after is None
    assert measures.curves == ((0, 1, 1), (0, 0, 1))


def test_only_streams_with_a_test_of_every_prompt_are_measured() -> None:
    plain = loop(["0", "1"], {0: "0", 1: "1"}, best=1)
    untested = BLOCKED.model_copy(update={"test": {0: "0000", 4: "1111"}})
    assert not is_measured(plain)
    assert not is_measured(untested)
    assert stream_measures([[plain]]) is None
    assert stream_measures([[BLOCKED], [plain]]) is None
    assert measure([(plain,)]).mixed is None


def test_means_over_streams_count_those_that_have_a_value() -> None:
    together = streamed(["ab", "ab", "ab", "ab"], ["0000"] * 5)
    measures = stream_measures([[BLOCKED], [together]])
    assert measures is not None
    assert measures.forgetting is not None
    assert measures.forgetting.value == pytest.approx(1 / 2)
    assert (measures.families, measures.curves) == ({}, ())


@given(st.lists(st.text("01", min_size=4, max_size=4), min_size=5, max_size=5))
def test_in_a_blocked_stream_the_parts_add_up_to_the_last_gain(tests: list[str]) -> None:
    one = streamed(["aa", "aa", "bb", "bb"], tests)
    rates = [[outcomes[:2].count("1") / 2, outcomes[2:].count("1") / 2] for outcomes in tests]
    forgetting, transfer = stream_rates(one)
    assert forgetting is not None
    assert transfer is not None
    learned = (rates[2][0] - rates[0][0]) + (rates[4][1] - rates[2][1])
    last_gain = sum(rates[4]) - sum(rates[0])
    assert learned + transfer - forgetting == pytest.approx(last_gain)


@given(st.lists(st.lists(st.text("01", min_size=4, max_size=4), min_size=5, max_size=5), min_size=3, max_size=5))
def test_intervals_hold_the_value_and_stay_within_the_possible(loops: list[list[str]]) -> None:
    stream = [streamed(["aa", "aa", "bb", "bb"], tests, index=index) for index, tests in enumerate(loops)]
    measures = stream_measures([stream])
    assert measures is not None
    for interval in (measures.forgetting, measures.forward_transfer):
        assert interval is not None
        assert interval.low is not None
        assert interval.high is not None
        assert -1 <= interval.low <= interval.value <= interval.high <= 1


def test_loops_without_a_change_do_not_show_that_others_change_as_little() -> None:
    """Four loops of which none forgets: one in five may."""
    still = [streamed(["aa", "bb"], ["0000", "1100", "1111"], index=index) for index in range(4)]
    measures = stream_measures([still])
    assert measures is not None
    assert measures.forgetting is not None
    assert measures.forgetting.value == 0
    assert measures.forgetting.high is not None
    assert measures.forgetting.high > 0.2


def test_a_reflector_that_keeps_the_prompt_by_design_forgets_nothing_for_certain() -> None:
    still = [streamed(["aa", "bb"], ["0101"] * 3, index=index) for index in range(4)]
    measures = stream_measures([still], constant=True)
    assert measures is not None
    assert measures.forgetting is not None
    assert (measures.forgetting.low, measures.forgetting.high) == (0, 0)

"""Online measures of made-up loops with known values."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from finished import episodes_of, loop
from hypothesis import given
from hypothesis import strategies as st

from ictbench.results.assemble import costs
from ictbench.results.measures import measure
from ictbench.results.online import online_measures, online_rates, stream, stream_rate, stream_success

if TYPE_CHECKING:
    from ictbench.protocol import LoopResult


def one(experience: list[str], base: list[str], best: list[str], index: int = 0, family: str = "read") -> LoopResult:
    """Return a loop of two turns whose best prompt is prompt[1]."""
    return loop(
        ["00", "11", "01"],
        {0: "00", 1: "11", 2: "01"},
        best=1,
        batch=2,
        experience=experience,
        online=(base, best),
        index=index,
        family=family,
    )


LOOPS = (one(["00", "10"], ["00", "00"], ["11", "11"]), one(["01", "11"], ["01", "10"], ["11", "11"], index=1))


def test_the_stream_is_success_on_experience_by_turn() -> None:
    assert [interval.value for interval in stream([LOOPS])] == [1 / 4, 3 / 4]
    assert (whole := stream_success([LOOPS]))
    assert whole.value == pytest.approx(1 / 2)
    assert stream_rate(LOOPS[0]) == pytest.approx(1 / 4)


def test_gain_and_regret_compare_with_prompts_that_stay_the_same() -> None:
    measures = online_measures([LOOPS])
    assert measures is not None
    assert [interval.value for interval in measures.base] == [1 / 4, 1 / 4]
    assert [interval.value for interval in measures.best] == [1, 1]
    assert measures.gain.value == pytest.approx(1 / 2 - 1 / 4)
    assert measures.regret.value == pytest.approx(1 - 1 / 2)
    assert online_rates(LOOPS[0]) == (1 / 4, 3 / 4)


def test_three_loops_have_intervals_and_families_count_equally() -> None:
    read = (*LOOPS, one(["00", "00"], ["00", "00"], ["11", "11"], index=2))
    (first, last) = stream([read])
    assert first.low is not None
    assert last.high is not None
    assert first.low <= first.value <= 1
    zap = tuple(one(["11", "11"], ["00", "00"], ["11", "11"], index=i, family="zap") for i in range(3))
    assert [interval.value for interval in stream([read, zap])] == pytest.approx([(1 / 6 + 1) / 2, (3 / 6 + 1) / 2])
    measures = measure([read, zap])
    assert measures.stream_success is not None
    assert measures.online is not None
    assert measures.online.regret.value == pytest.approx(2 / 3 / 2)


def test_loops_without_the_comparison_have_a_stream_only() -> None:
    plain = loop(["0", "1"], {0: "0", 1: "1"}, best=1, experience=["1"])
    measures = measure([(plain,)])
    assert [interval.value for interval in measures.stream] == [1]
    assert measures.online is None
    assert online_rates(plain) is None
    assert online_measures([(plain,), LOOPS]) is None


def test_batches_of_different_sizes_count_by_task() -> None:
    halved = loop(["0", "1"], {0: "0", 1: "1"}, best=1, experience=["1"])
    uneven = halved.model_copy(
        update={
            "batches": (
                halved.batches[0],
                halved.batches[0].model_copy(update={"tasks": ("a", "b"), "outcomes": "00"}),
            ),
            "prompts": (*halved.prompts, halved.prompts[1]),
        }
    )
    assert [interval.value for interval in stream([(uneven,)])] == [1, 0]
    assert (whole := stream_success([(uneven,)]))
    assert whole.value == pytest.approx(1 / 3)


def test_only_episodes_that_nothing_else_needs_count_as_online_cost() -> None:
    finished = LOOPS[0]
    found = costs([finished], episodes_of(finished))
    # Eight uses; those of turn 1 under prompt[0] and of turn 2 under prompt[1] are the experience.
    assert (found["experience"].calls, found["online"].calls) == (4, 4)
    assert "online" not in costs([plain := loop(["0", "1"], {0: "0", 1: "1"}, best=1)], episodes_of(plain))


ROWS = st.tuples(st.text("01", min_size=2, max_size=2), st.text("01", min_size=2, max_size=2)).map(list)


@given(st.lists(st.tuples(ROWS, ROWS, ROWS), min_size=1, max_size=4))
def test_gain_and_regret_add_up(
    rows: list[tuple[list[str], list[str], list[str]]],
) -> None:
    loops = tuple(one(*three, index=index) for index, three in enumerate(rows))
    measures = online_measures([loops])
    assert measures is not None
    best = sum(interval.value for interval in measures.best) / 2
    base = sum(interval.value for interval in measures.base) / 2
    assert measures.gain.value + measures.regret.value == pytest.approx(best - base)

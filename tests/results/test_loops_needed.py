"""Power of a comparison: known values, agreement with the test itself, and bad input."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.stats import nct, t
from synthetic import Outcomes, result

from ictbench.errors import ConfigError, ResultError
from ictbench.results import Result, power
from ictbench.results.loops_needed import MAX_LOOPS, PowerRow, _Family, _power, mean_row
from ictbench.results.loops_needed_text import cells, power_markdown, sentences, title
from ictbench.results.significance import paired_p

TASKS = 20


def solved(count: int) -> str:
    return "1" * count + "0" * (TASKS - count)


def loops(*gains: int) -> list[Outcomes]:
    """Return loops that solve so many of 20 test tasks under the best prompt, and none under prompt[0]."""
    return [(solved(0), solved(gain)) for gain in gains]


VARIED = loops(10, 14, 12, 16, 8)


def rows(pilot: Result, other: Result | None = None, **options: Any) -> dict[str, PowerRow]:
    return {row.name: row for row in power(pilot, other, **options).rows}


def test_the_deviation_is_that_of_two_arms_which_vary_alike() -> None:
    found = rows(result({"read": VARIED, "zap": VARIED}))
    single = np.std(np.array([10, 14, 12, 16, 8]) / TASKS, ddof=1)
    assert found["read"].deviation == pytest.approx(2**0.5 * single)
    assert found["mean held-out"].deviation == pytest.approx(single)


def test_two_runs_give_the_deviation_of_their_differences() -> None:
    other = result({"read": loops(9, 13, 13, 15, 6)}, "other")
    found = rows(result({"read": VARIED}), other)
    assert found["read"].deviation == pytest.approx(np.std(np.array([-1, -1, 1, -1, -2]) / TASKS, ddof=1))


def test_loops_needed_reach_the_target_and_one_less_does_not() -> None:
    found = rows(result({"read": VARIED}))["read"]
    deviation, needed = found.deviation, found.needed
    assert needed is not None

    def of_t_test(count: int) -> float:
        return float(nct.sf(t.ppf(0.975, count - 1), count - 1, 0.1 * count**0.5 / deviation))

    assert of_t_test(needed) >= 0.8 > of_t_test(needed - 1)
    # Halving the difference takes about four times the loops.
    smaller = rows(result({"read": VARIED}), difference=0.05)["read"].needed
    assert smaller is not None
    assert smaller == pytest.approx(4 * needed, rel=0.1)


@pytest.mark.parametrize("count", [6, 8, 12, 14])
@pytest.mark.parametrize("size", [0.8, 1.4])
def test_the_power_is_the_share_of_significant_comparisons(count: int, size: float) -> None:
    rng = np.random.default_rng(1)
    drawn = size * 0.2 + 0.2 * rng.standard_normal((600, count, 1))
    share = np.mean([paired_p([sample]) <= 0.05 for sample in drawn])
    family = _Family("read", "held-out", np.zeros((3, 1)), of_loops=0.04)
    assert _power([family], count, size * 0.2, shared=False) == pytest.approx(share, abs=0.06)


@pytest.mark.parametrize(("count", "difference"), [(3, 0.15), (5, 0.1), (10, 0.1), (40, 0.05)])
def test_on_shared_games_the_power_is_that_of_the_crossed_test(count: int, difference: float) -> None:
    games, of_loops, of_games, of_rest = 60, 0.002, 0.02, 0.1
    rng = np.random.default_rng(2)

    def draw() -> Any:
        normal = rng.standard_normal
        rest = normal((count, games)) * of_rest**0.5
        return difference + normal((count, 1)) * of_loops**0.5 + normal((1, games)) * of_games**0.5 + rest

    share = np.mean([paired_p([draw()], shared=True) <= 0.05 for _ in range(600)])
    family = _Family("heat", "held-out", np.zeros((3, games)), of_loops, of_games, of_rest)
    assert _power([family], count, difference, shared=True) == pytest.approx(share, abs=0.07)


def test_few_games_limit_what_more_loops_can_show() -> None:
    # One arm solves the even games, whatever the loop: a difference that is all of games.
    pilot = [("00000000", f"1010101{index % 2}") for index in range(6)]
    whole = power(result({"heat": pilot}, intervals="for these games"), difference=0.1)
    found = whole.rows[0]
    assert found.needed is None
    assert found.reason == "more loops do not help on so few games"
    assert cells(found)[4] == "?"
    assert f"No number of loops for heat, mean held-out: {found.reason}." in [*sentences(whole)]


def test_fewer_than_six_loops_of_one_family_cannot_be_significant() -> None:
    found = power(result({"read": loops(10, 11, 12)}), difference=0.9)
    (read, mean) = found.rows
    assert (read.power, read.needed, read.smallest_p) == (0, 6, 0.25)
    assert mean.needed == 6
    text = " ".join(sentences(found))
    assert "With 3 loops the smallest possible p of one family is 0.250. With fewer than 6 loops no difference" in text
    assert "0.5 to 6.3 times that shown, the loops needed 0.3 to 39 times" in text


def test_families_together_need_fewer_loops() -> None:
    found = rows(result({"read": VARIED, "zap": VARIED, "eat": VARIED}, roles={"eat": "meta-train"}))
    assert [*found] == ["read", "zap", "eat", "mean held-out", "mean meta-train"]
    read, mean = found["read"].needed, found["mean held-out"].needed
    assert read is not None
    assert mean is not None
    assert mean == pytest.approx(read / 2, abs=2)


def test_equal_loops_say_that_the_variance_is_unknown() -> None:
    found = rows(result({"read": loops(5, 5, 5), "zap": VARIED}))
    assert (found["read"].power, found["read"].needed) == (None, None)
    assert found["read"].reason == "the loops of the pilot do not differ"
    assert cells(found["read"])[3] == "?"
    assert found["mean held-out"].needed is not None


def test_a_difference_may_be_too_small_for_any_number_of_loops() -> None:
    found = rows(result({"read": VARIED}), difference=0.001)["read"]
    assert (found.needed, found.reason) == (None, f"more than {MAX_LOOPS:,} loops")


@pytest.mark.parametrize("difference", [0, -0.1, 1.1, float("nan"), float("inf")])
def test_a_difference_out_of_range_is_refused(difference: float) -> None:
    with pytest.raises(ConfigError, match="is not between two success rates: use more than 0, at most 1"):
        power(result({"read": VARIED}), difference=difference)


@pytest.mark.parametrize("target", [0, 0.05, 1, float("nan")])
def test_a_target_out_of_range_is_refused(target: float) -> None:
    with pytest.raises(ConfigError, match=r"is not a probability between 0.05 and 1, e.g. 0.8"):
        power(result({"read": VARIED}), target=target)


def test_one_loop_is_no_pilot() -> None:
    with pytest.raises(ResultError, match=r"^one: no family has two finished loops, .* at least 2 loops, better 5$"):
        power(result({"read": loops(3)}))
    assert mean_row(result({"read": loops(3)})) is None


def test_runs_that_are_not_comparable_are_refused() -> None:
    with pytest.raises(ResultError, match=r"are not comparable: max_steps [^;]*$"):
        power(result({"read": VARIED}), result({"read": VARIED}, "other", max_steps=9))


def test_the_markdown_holds_the_table_and_its_explanation() -> None:
    found = power(result({"read": VARIED}))
    text = power_markdown(found)
    assert text.startswith(title(found))
    assert "Loops to show a difference of 0.1 in best between one and another arm" in text
    assert f"| read | 5 | {found.rows[0].deviation:.2f} |" in text
    assert "80 of 100 comparisons" in text
    assert "--against RUN" in text
    assert "--against RUN" not in power_markdown(power(result({"read": VARIED}), result({"read": VARIED[::-1]}, "b")))

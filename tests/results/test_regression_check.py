from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from synthetic import Outcomes, result

import ictbench
from ictbench.errors import ResultError, UnknownNameError, UsageError
from ictbench.results.pairing import pair
from ictbench.results.regression_check import check_cells
from ictbench.results.significance import sign_flip_p

RNG = np.random.default_rng(7)


def outcomes(rate: float, tasks: int = 50) -> str:
    return "".join("1" if RNG.random() < rate else "0" for _ in range(tasks))


def run(label: str, *rates: float, base: float = 0.5, loops: int = 10, **changes: Any) -> Any:
    """Return a run whose families' best prompts solve tasks at these rates, and prompt[0] at the base rate."""
    families: dict[str, list[Outcomes]] = {
        f"f{number}": [(outcomes(base), outcomes(rate)) for _ in range(loops)] for number, rate in enumerate(rates)
    }
    return result(families, label, **changes)


BEFORE = run("before", 0.6, 0.6, 0.6, 0.6)
SAME = run("same", 0.6, 0.6, 0.6, 0.6)
WORSE = run("worse", 0.4, 0.4, 0.4, 0.4)
ONE_WORSE = run("one worse", 0.2, 0.6, 0.6, 0.6)


def test_a_significant_drop_beyond_the_tolerance_fails() -> None:
    found = ictbench.check(WORSE, BEFORE, tolerance=0.05)
    mean = found.falls[0]
    assert (mean.name, mean.outcome) == ("held-out", "failed")
    assert found.failed[0] is mean
    assert mean.difference.high is not None
    assert mean.difference.high < 0
    assert mean.run - mean.baseline == pytest.approx(mean.difference.value)
    assert mean.p == mean.smallest_p == 1 / 100_000
    assert "more than the tolerance of 0.05, p = 1e-05" in mean.message


def test_a_random_change_does_not_fail() -> None:
    found = ictbench.check(SAME, BEFORE, tolerance=0.1)
    assert found.failed == ()
    assert found.warned == (), "ten loops of fifty tasks in four families detect a drop of 0.1"
    assert found.falls[0].detectable is not None
    assert found.falls[0].detectable < 0.1
    assert ictbench.check(BEFORE, WORSE, tolerance=0.1).failed == (), "a rise is not a regression"


HIGH: list[Outcomes] = [("0000000000", "0000011111"), ("0000000000", "0000001111")] * 5
LOW: list[Outcomes] = [("0000000000", "0000000001"), ("0000000000", "0000000000")] * 5


def test_a_message_states_the_change_and_for_passed_checks_the_power() -> None:
    rose = ictbench.check(result({"read": HIGH}, "now"), result({"read": LOW}, "before")).falls[0]
    assert rose.message.startswith("rose by 0.400; these sizes cannot detect any drop")
    fell = ictbench.check(result({"read": LOW}, "now"), result({"read": HIGH}, "before")).falls[0]
    assert fell.message == "fell by 0.400, more than the tolerance of 0.05, p = 0.001"
    assert fell.p == 1 / 2**10


def test_a_significant_drop_within_the_tolerance_passes() -> None:
    found = ictbench.check(WORSE, BEFORE, tolerance=0.5)
    assert found.falls[0].outcome == "passed"
    assert "fell by 0." in found.falls[0].message
    assert "within the tolerance of 0.5" in found.falls[0].message


def test_a_drop_in_a_single_family_fails() -> None:
    found = ictbench.check(ONE_WORSE, BEFORE, tolerance=0.1)
    assert [fall.name for fall in found.failed if fall.name != "held-out"] == ["f0"]


def test_intervals_are_those_of_the_comparison_and_a_single_family_is_the_mean() -> None:
    by_name = {fall.name: fall for fall in ictbench.check(SAME, BEFORE).falls}
    alone = ictbench.compare(BEFORE, SAME).arms[0].families[0].difference
    together = by_name["f0"].difference
    assert together == alone
    assert [fall.name for fall in ictbench.check(run("a", 0.5), run("b", 0.5)).falls] == ["held-out"]


@pytest.mark.parametrize(("loops", "tasks"), [(6, 40), (10, 50)])
def test_the_detectable_drop_has_80_percent_power(loops: int, tasks: int) -> None:
    """Simulated drops of this size are significant four times out of five."""
    one, other = run("a", 0.6, loops=loops), run("b", 0.6, loops=loops)
    (fall,) = ictbench.check(other, one).falls
    assert fall.detectable is not None
    paired = pair(one, other)[0].difference("best").mean(axis=1)
    rng = np.random.default_rng(1)
    drops = rng.normal(-fall.detectable, paired.std(ddof=1), (1000, loops))
    found = np.mean([sign_flip_p([drop], "less") <= 0.05 for drop in drops])
    assert found == pytest.approx(0.8, abs=0.06)


def test_sizes_that_would_miss_the_tolerance_warn() -> None:
    found = ictbench.check(run("now", 0.6, loops=6), run("before", 0.6, loops=6), tolerance=0.01)
    assert [fall.outcome for fall in found.falls] == ["warned"]
    assert "with 80 % power" in found.warned[0].message


@pytest.mark.parametrize(("loops", "p"), [(1, "0.500"), (2, "0.250"), (4, "0.062")])
def test_too_few_loops_warn_with_the_smallest_p(loops: int, p: str) -> None:
    found = ictbench.check(run("now", 0.0, loops=loops), run("before", 1.0, loops=loops))
    (fall,) = found.falls
    assert (fall.outcome, fall.detectable, fall.p) == ("warned", None, fall.smallest_p)
    loops_text = f"{loops} {'pair' if loops == 1 else 'pairs'} of loops"
    assert f"with {loops_text} the smallest possible p is {p}, so no drop can be detected" in fall.message


def test_the_smallest_p_of_a_family_counts_all_families() -> None:
    falls = ictbench.check(run("now", *[0.0] * 4, loops=5), run("before", *[1.0] * 4, loops=5)).falls
    assert [fall.outcome for fall in falls] == ["failed"] + ["warned"] * 4
    assert {fall.smallest_p for fall in falls[1:]} == {4 / 2**5}
    assert "with 5 pairs of loops in each of 4 families the smallest possible p is 0.125" in falls[1].message


GAMES: dict[str, Any] = {"intervals": "for these games"}


def test_shared_games_are_not_independent_loops() -> None:
    """Two deterministic prompts that solve different games, replayed in ten loops, are 20 games and not ten loops."""
    one: list[Outcomes] = [("0" * 20, "1" * 5 + "0" * 4 + "1" * 11)] * 10
    other: list[Outcomes] = [("0" * 20, "0" * 5 + "1" * 15)] * 10
    (fall,) = ictbench.check(result({"read": other}, **GAMES), result({"read": one}, **GAMES), tolerance=0.0).falls
    assert (fall.outcome, round(fall.p, 1)) == ("warned", 0.4)
    (alone,) = ictbench.check(result({"read": other}), result({"read": one}), tolerance=0.0).falls
    assert alone.outcome == "failed"


RANDOM_FAMILIES = st.lists(
    st.lists(st.tuples(*[st.text("01", min_size=5, max_size=5)] * 2), min_size=1, max_size=4), min_size=1, max_size=3
)


@settings(deadline=None, max_examples=40)
@given(RANDOM_FAMILIES, st.sampled_from([{}, GAMES]), st.sampled_from(["best", "gain", "base"]))
def test_a_run_against_itself_shows_nothing(
    families: list[list[Outcomes]], settings: dict[str, Any], measure: Any
) -> None:
    one = result({f"f{number}": loops for number, loops in enumerate(families)}, **settings)
    found = ictbench.check(one, one, tolerance=0.0, measures=[measure])
    assert found.failed == found.warned == ()
    for fall in found.falls:
        assert (fall.difference.value, fall.p, fall.message) == (0, 1, "did not change; no outcome differs")
    for row in ictbench.compare(one, one, measure=measure).arms[0].rows:
        assert (row.difference.value, row.p, row.p_corrected, row.wins, row.losses) == (0, 1, 1, 0, 0)


@settings(deadline=None, max_examples=40)
@given(RANDOM_FAMILIES, RANDOM_FAMILIES, st.sampled_from([{}, GAMES]), st.randoms(use_true_random=False))
def test_order_of_loops_tasks_and_families_does_not_matter(
    before: list[list[Outcomes]], after: list[list[Outcomes]], settings: dict[str, Any], random: Any
) -> None:
    families = [list(zip(one, other, strict=False)) for one, other in zip(before, after, strict=False)]

    def falls(families: Any) -> Any:
        one, other = (
            result({str(name): [pair[side] for pair in loops] for name, loops in families}, **settings)
            for side in (0, 1)
        )
        return {fall.name: fall for fall in ictbench.check(other, one).falls}

    def permute(outcomes: str, order: list[int]) -> str:
        return "".join(outcomes[i] for i in order)

    order = random.sample(range(5), 5)
    shuffled = [
        (
            name,
            [
                tuple(tuple(permute(text, order) for text in side) for side in pair)
                for pair in random.sample(loops, len(loops))
            ],
        )
        for name, loops in random.sample(list(enumerate(families)), len(families))
    ]
    plain, other = falls(list(enumerate(families))), falls(shuffled)
    assert plain.keys() == other.keys()
    for name, fall in plain.items():
        assert (fall.outcome, fall.smallest_p) == (other[name].outcome, other[name].smallest_p)
        assert fall.p == pytest.approx(other[name].p)
        assert fall.detectable == pytest.approx(other[name].detectable)


@pytest.mark.parametrize("rate", [0.0, 1.0])
def test_all_failures_or_all_successes_pass(rate: float) -> None:
    found = ictbench.check(run("now", rate, rate, base=rate), run("before", rate, rate, base=rate), tolerance=0.1)
    assert found.failed == ()
    assert all(fall.message.startswith("did not change") for fall in found.falls)


def test_every_measure_is_checked_once() -> None:
    found = ictbench.check(WORSE, BEFORE, measures=["best", "gain", "best"])
    assert [fall.measure for fall in found.falls] == ["best"] * 5 + ["gain"] * 5


def test_wrong_arguments_are_refused() -> None:
    for tolerance in (-0.1, 1.0, float("nan")):
        with pytest.raises(UsageError, match="the tolerance must be a share from 0 to below 1"):
            ictbench.check(SAME, BEFORE, tolerance=tolerance)
    with pytest.raises(UnknownNameError, match="'worst' is not a measure"):
        ictbench.check(SAME, BEFORE, measures=["worst"])  # type: ignore[list-item]
    other = SAME.model_copy(update={"profile": "lite"})
    with pytest.raises(ResultError, match="before and same are not comparable: profile quick against lite"):
        ictbench.check(other, BEFORE)
    assert ictbench.check(other, BEFORE, force=True).not_comparable == ("profile quick against lite",)


def test_cells_of_a_campaign_are_corrected_together() -> None:
    alone = ictbench.check(ONE_WORSE, BEFORE, tolerance=0.05)
    same = {f"same {number}": (BEFORE, BEFORE) for number in range(11)}
    first, *others = check_cells({"worse": (ONE_WORSE, BEFORE), **same}, tolerance=0.05)
    assert [check.cell for check in (first, *others)] == ["worse", *same]
    assert first.falls[0].p == pytest.approx(min(1, 12 * alone.falls[0].p))
    assert first.falls[0].smallest_p == pytest.approx(12 * alone.falls[0].smallest_p)
    # Four families in each of twelve cells, instead of four.
    assert first.falls[1].p == pytest.approx(min(1, 48 / 4 * alone.falls[1].p))
    assert not any(check.failed or check.warned for check in others)
    assert check_cells({"": (ONE_WORSE, BEFORE)}, tolerance=0.05) == [alone]

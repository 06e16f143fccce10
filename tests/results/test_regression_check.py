from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats
from synthetic import Outcomes, result

import ictbench
from ictbench.errors import ResultError, UnknownNameError, UsageError
from ictbench.results.intervals import Sample, estimate

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


def test_a_regression_fails_with_both_reasons() -> None:
    found = ictbench.check(WORSE, BEFORE, tolerance=0.05)
    mean = found.falls[0]
    assert (mean.name, mean.outcome) == ("held-out", "failed")
    assert found.failed[0] is mean
    assert mean.difference.high is not None
    assert mean.difference.high < 0
    assert mean.run - mean.baseline == pytest.approx(mean.difference.value)
    assert "more than the tolerance of 0.05, and the interval excludes zero" in mean.message


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
    assert fell.message == "fell by 0.400, more than the tolerance of 0.05, and the interval excludes zero"


def test_a_significant_drop_within_the_tolerance_passes() -> None:
    found = ictbench.check(WORSE, BEFORE, tolerance=0.5)
    assert found.falls[0].outcome == "passed"
    assert "fell by 0." in found.falls[0].message
    assert "within the tolerance of 0.5" in found.falls[0].message


def test_a_drop_in_a_single_family_fails() -> None:
    found = ictbench.check(ONE_WORSE, BEFORE, tolerance=0.1)
    assert [fall.name for fall in found.failed if fall.name != "held-out"] == ["f0"]


def test_intervals_of_several_families_are_wider_and_a_single_family_is_the_mean() -> None:
    by_name = {fall.name: fall for fall in ictbench.check(SAME, BEFORE).falls}
    alone = ictbench.compare(BEFORE, SAME).arms[0].families[0].difference
    together = by_name["f0"].difference
    assert together.low is not None
    assert alone.low is not None
    ratio = stats.t.ppf(1 - 0.05 / 8, 9) / stats.t.ppf(0.975, 9)
    assert together.value - together.low == pytest.approx(ratio * (alone.value - alone.low))
    assert [fall.name for fall in ictbench.check(run("a", 0.5), run("b", 0.5)).falls] == ["held-out"]


def test_the_detectable_drop_has_80_percent_power() -> None:
    one, other = run("a", 0.6), run("b", 0.6)
    (fall,) = ictbench.check(other, one).falls
    row = ictbench.compare(one, other).arms[0].families[0].difference
    assert row.low is not None
    critical = stats.t.ppf(0.975, 9)
    error = (row.value - row.low) / critical
    assert fall.detectable is not None
    assert 1 - stats.nct.cdf(critical, 9, fall.detectable / error) == pytest.approx(0.8, abs=1e-6)


def test_sizes_that_would_miss_the_tolerance_warn() -> None:
    found = ictbench.check(run("now", 0.6, loops=3), run("before", 0.6, loops=3), tolerance=0.01)
    assert [fall.outcome for fall in found.falls] == ["warned"]
    assert "with 80 % power" in found.warned[0].message


@pytest.mark.parametrize("loops", [1, 2])
def test_fewer_than_three_loops_warn_that_no_drop_can_be_detected(loops: int) -> None:
    found = ictbench.check(run("now", 0.0, loops=loops), run("before", 1.0, loops=loops))
    (fall,) = found.falls
    assert (fall.outcome, fall.detectable, fall.difference.low) == ("warned", None, None)
    assert "with fewer than 3 loops in a family no drop can be detected" in fall.message


@pytest.mark.parametrize("rate", [0.0, 1.0])
def test_all_failures_or_all_successes_pass(rate: float) -> None:
    found = ictbench.check(run("now", rate, rate, base=rate), run("before", rate, rate, base=rate), tolerance=0.1)
    assert found.failed == ()
    assert all(fall.message.startswith("did not change") for fall in found.falls)


def test_three_loops_with_extreme_outcomes_detect_no_drop() -> None:
    (fall,) = ictbench.check(run("now", 1.0, base=0.0, loops=3), run("before", 1.0, base=0.0, loops=3)).falls
    assert (fall.outcome, fall.detectable) == ("warned", None)
    assert "these sizes cannot detect any drop" in fall.message


def test_equal_runs_rarely_fail() -> None:
    """The mean of equal runs falls below its 95 % interval one time in forty."""
    rng = np.random.default_rng(0)
    played = rng.random((2, 2000, 5, 40)) < 0.5
    found = estimate([Sample(played[1].astype(float) - played[0])])
    assert ((found.value + found.half_width()) < 0).mean() < 0.035


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

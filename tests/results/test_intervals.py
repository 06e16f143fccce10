from __future__ import annotations

from itertools import pairwise
from math import nan
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from ictbench.results.intervals import Changes, Sample, mean_ends, mean_interval, ratio_interval, share_interval
from ictbench.results.samples import changes, rates_by_loop
from ictbench.results.schema import Interval
from ictbench.results.standard_errors import mean_error

if TYPE_CHECKING:
    from random import Random

    from ictbench.results.standard_errors import Floats

SHARES, DIFFERENCES = (0.0, 1.0), (-1.0, 1.0)
Family = tuple["Floats", "Floats"]
"""Outcomes under prompt[0] and under the best prompt, loops × tasks."""


def gain(family: Family, kept: list[bool] | None = None) -> Sample:
    """Return the sample of the gain; a loop without a difference counts as one that kept prompt[0], unless stated."""
    base, best = family
    unchanged = (base == best).all(axis=1) if kept is None else np.array(kept)
    return Sample(best - base, DIFFERENCES, (changes(best, base, unchanged),))


def difference(one: Family, other: Family) -> Sample:
    """Return the sample of the difference in best of two arms."""
    (first,), (second,) = gain(one).changes, gain(other).changes
    return Sample(one[1] - other[1], DIFFERENCES, (first, -second))


def constant(base: float, best: float, loops: int, tasks: int = 20) -> Family:
    """Return equal loops of a family, whose outcomes are equal shares."""
    return np.full((loops, tasks), base), np.full((loops, tasks), best)


def smooth(gains: Floats) -> Family:
    """Return loops of many equal tasks that start at 0.5 and have these gains."""
    base = np.full((len(gains), 50), 0.5)
    return base, base + gains[:, None]


def ends(found: Interval) -> tuple[float, float]:
    assert found.low is not None
    assert found.high is not None
    return found.low, found.high


def width(found: Interval) -> float:
    low, high = ends(found)
    return high - low


OUTCOMES = st.sampled_from([0.0, 1.0])
FAMILY = st.tuples(st.integers(3, 6), st.integers(1, 5)).flatmap(
    lambda shape: st.tuples(arrays(float, shape, elements=OUTCOMES), arrays(float, shape, elements=OUTCOMES))
)
FAMILIES = st.lists(FAMILY, min_size=1, max_size=3)


@given(st.integers(0, 40), st.integers(3, 10), st.booleans())
def test_success_under_the_first_prompt_has_the_exact_binomial_interval(solved: int, loops: int, shared: bool) -> None:
    """Tasks are independent; if loops share them, each counts once."""
    tasks = 40 if shared else 40 * loops
    row = np.repeat([1.0, 0.0], [solved, 40 - solved])
    found = mean_interval([Sample(np.tile(row, (loops, 1)), SHARES)], shared=shared)
    exact = stats.binomtest(solved * tasks // 40, tasks).proportion_ci(0.95, method="exact")
    assert found.value == pytest.approx(solved / 40)
    assert ends(found) == pytest.approx((exact.low, exact.high), abs=0.003 if shared else 0.001)


def test_loops_that_vary_smoothly_have_the_t_interval_of_their_means() -> None:
    means = np.array([-0.3, 0.3, -0.1, 0.1, -0.2, 0.2, -0.3, 0.3, -0.2, 0.2])
    found = mean_interval([gain(smooth(means))])
    low, high = stats.ttest_1samp(means, 0).confidence_interval(0.95)
    assert found.low == pytest.approx(low)
    assert found.high == pytest.approx(high)


def test_families_of_smooth_loops_follow_welch_and_satterthwaite() -> None:
    one, other = np.linspace(-0.2, 0.2, 6), np.linspace(-0.5, 0.6, 7)
    families = [gain(smooth(gains)) for gains in (one, other)]
    # The mean of two means is half the Welch difference of the first and the negated second.
    low, high = stats.ttest_ind(one, -other, equal_var=False).confidence_interval(0.95)
    assert ends(mean_interval(families)) == pytest.approx((low / 2, high / 2))


@pytest.mark.parametrize("loops", [3, 5, 10])
@pytest.mark.parametrize("learned", [0.2, 1.0])
def test_loops_that_agree_have_the_bound_of_a_share_of_loops(loops: int, learned: float) -> None:
    """If all of L loops learned, the share that learns is at least 0.025^(1/L), e.g. 0.29 for three."""
    found = mean_interval([gain(constant(0.0, learned, loops, 1000))])
    assert found.value == pytest.approx(learned)
    assert found.low == pytest.approx(learned * 0.025 ** (1 / loops), abs=1e-6)
    assert found.low == pytest.approx(learned * (share_interval(loops, loops).low or nan), abs=1e-6)


def test_three_agreeing_loops_bound_a_loss_too() -> None:
    """From a base of 0.5, one more loop may lose as much as the others gained."""
    found = mean_interval([gain(constant(0.5, 1.0, 3, 1000))])
    assert found.low == pytest.approx(0.5 - (1 - 0.025 ** (1 / 3)), abs=1e-6)


def test_loops_that_all_kept_the_first_prompt_do_not_bound_what_others_do() -> None:
    kept = mean_interval([gain(constant(0.25, 0.25, 3), [True] * 3)])
    share = 1 - 0.025 ** (1 / 3)
    assert ends(kept) == pytest.approx((-0.25 * share, 0.75 * share))
    assert ends(mean_interval([gain(constant(0.25, 0.25, 3), [False] * 3)])) == pytest.approx((0, 0), abs=0.1)


def test_five_hundred_of_five_hundred() -> None:
    base = mean_interval([Sample(np.ones((10, 50)), SHARES)])
    assert ends(base) == pytest.approx((0.025 ** (1 / 500), 1.0), abs=1e-4)
    outcomes = constant(0.0, 1.0, 10, 50)
    (change,) = gain(outcomes).changes
    learned = mean_interval([Sample(outcomes[1], SHARES, (change,))])
    assert ends(learned) == pytest.approx((0.025 ** (1 / 10), 1.0), abs=1e-4)


def test_one_loop_in_three_that_learns_is_bounded_by_what_is_possible() -> None:
    """Student's t alone would reach from -0.98 to 1.65."""
    base = np.full((3, 20), 0.05)
    found = mean_interval([gain((base, np.array([[0.05], [0.05], [1.0]]) * np.ones(20)))])
    low, high = ends(found)
    assert -0.05 <= low < 0 < 0.8 < high <= 0.95


@pytest.mark.parametrize("loops", [1, 2])
def test_fewer_than_three_loops_have_no_interval(loops: int) -> None:
    few, enough = gain(constant(0.0, 0.5, loops)), gain(constant(0.0, 0.5, 3))
    for families in ([few], [enough, few]):
        assert mean_interval(families) == Interval(value=0.5)
    assert ratio_interval(0.5, lambda ratio: [few], low=0.0) == Interval(value=0.5)
    assert mean_interval([enough]).low is not None


def test_the_same_result_has_no_difference_and_no_width() -> None:
    same = Sample(np.zeros((3, 20)), (0.0, 0.0))
    assert mean_interval([same]) == Interval(value=0.0, low=0.0, high=0.0)


@pytest.mark.parametrize("value", [nan, float("inf")])
def test_a_value_that_is_not_finite_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        mean_interval([Sample(np.array([[0.0], [value], [1.0]]), SHARES)])


@settings(deadline=None)
@given(FAMILIES, st.booleans())
def test_an_interval_holds_its_value_within_bounds(families: list[Family], shared: bool) -> None:
    for sample in ([gain(family) for family in families], [Sample(base, SHARES) for base, _ in families]):
        found = mean_interval(sample, shared=shared)
        low, high = ends(found)
        least, most = sample[0].bounds
        assert least <= low <= found.value <= high <= most
        assert low < high


@settings(deadline=None)
@given(FAMILIES, st.booleans())
def test_swapping_arms_mirrors_the_interval(families: list[Family], shared: bool) -> None:
    pairs = [(family, (family[0], family[1][::-1])) for family in families]
    found = mean_interval([difference(one, other) for one, other in pairs], shared=shared)
    swapped = mean_interval([difference(other, one) for one, other in pairs], shared=shared)
    assert swapped == -found


@settings(deadline=None)
@given(FAMILIES, st.booleans(), st.randoms(use_true_random=False))
def test_the_order_of_loops_tasks_and_families_does_not_matter(
    families: list[Family], shared: bool, random: Random
) -> None:
    rng = np.random.default_rng(random.getrandbits(32))
    # Thirds, as of tasks that are played three times: their sums depend on the order.
    families = [(base / 3, best * 2 / 3) for base, best in families]
    shuffled = []
    for base, best in families:
        rows, columns = rng.permutation(base.shape[0]), rng.permutation(base.shape[1])
        shuffled.append((base[rows][:, columns], best[rows][:, columns]))
    rng.shuffle(shuffled)
    before, after = (mean_interval([gain(family) for family in group], shared=shared) for group in (families, shuffled))
    assert before == after


@settings(deadline=None)
@given(st.integers(0, 10), st.integers(0, 10), st.integers(3, 30), st.booleans())
def test_a_further_loop_that_agrees_never_widens(base: int, best: int, loops: int, shared: bool) -> None:
    widths = [
        width(mean_interval([gain(constant(base / 10, best / 10, loops + more))], shared=shared)) for more in (0, 1)
    ]
    assert widths[1] <= widths[0]


@settings(deadline=None)
@given(st.lists(st.floats(0, 1), min_size=3, max_size=8))
def test_a_further_loop_at_the_mean_never_widens(rates: list[float]) -> None:
    assume(max(rates) - min(rates) > 0.05)
    more = [rates, [*rates, sum(rates) / len(rates)]]
    one, other = (mean_interval([rates_by_loop(np.repeat(np.array(m)[:, None], 50, axis=1))]) for m in more)
    assert width(other) <= width(one) + 1e-9


@settings(deadline=None, max_examples=30)
@given(st.lists(FAMILY, min_size=2, max_size=4), st.booleans())
def test_many_samples_at_once_have_the_ends_of_single_ones(families: list[Family], shared: bool) -> None:
    rows, columns = min(f[0].shape[0] for f in families), min(f[0].shape[1] for f in families)
    cut = [(base[:rows, :columns], best[:rows, :columns]) for base, best in families]
    alone = [gain(family) for family in cut]
    together = Sample(
        np.stack([sample.values for sample in alone]),
        DIFFERENCES,
        (
            Changes(
                *(np.stack([getattr(s.changes[0], name) for s in alone]) for name in ("loops", "kept", "low", "high"))
            ),
        ),
    )
    found = mean_ends([together], shared=shared)
    for number, sample in enumerate(alone):
        single = mean_interval([sample], shared=shared)
        assert (found.low[number], found.high[number]) == pytest.approx(ends(single))


def test_shared_games_carry_less_information() -> None:
    base = np.tile([0.0, 0.0, 1.0, 1.0], (5, 5))
    own, shared = (mean_interval([Sample(base, SHARES)], shared=shared) for shared in (False, True))
    assert own.value == shared.value
    assert width(own) < width(shared)


@settings(deadline=None, max_examples=50)
@given(FAMILY, st.booleans())
def test_the_interval_of_a_ratio_ends_where_the_residual_may_be_zero(family: Family, shared: bool) -> None:
    """For the headroom gain: best minus base, divided by 1 minus base."""
    base, best = family
    if base.all():
        return

    def residuals(ratio: float) -> list[Sample]:
        limits = min(-1.0, -ratio), max(1.0, 1.0 - ratio)
        return [Sample(best - base - ratio * (1 - base), limits, gain(family).changes)]

    value = (best.mean() - base.mean()) / (1 - base.mean())
    found = ratio_interval(value, residuals, low=float("-inf"), shared=shared)
    if found.low is None or found.high is None:
        assert ends(mean_interval(residuals(-1e6), shared=shared))[0] <= 0
        return
    assert found.low <= value + 1e-8
    assert value - 1e-8 <= found.high <= 1
    for end, outside in ((found.low, -1e-5), (found.high, 1e-5)):
        low, high = ends(mean_interval(residuals(end), shared=shared))
        assert low <= 1e-6
        assert high >= -1e-6
        if end < 1:
            low, high = ends(mean_interval(residuals(end + outside), shared=shared))
            assert low > -1e-6 or high < 1e-6


@given(st.integers(1, 60).flatmap(lambda total: st.tuples(st.integers(0, total), st.just(total))))
def test_a_share_has_the_exact_binomial_interval(of: tuple[int, int]) -> None:
    count, total = of
    found = share_interval(count, total)
    exact = stats.binomtest(count, total).proportion_ci(0.95, method="exact")
    assert (found.value, found.low, found.high) == pytest.approx((count / total, exact.low, exact.high))


@pytest.mark.parametrize("kept", [0.0, 0.3, 0.6, 0.8])
@pytest.mark.parametrize("shared", [False, True])
def test_intervals_of_3_loops_of_20_tasks_cover_the_truth(kept: float, shared: bool) -> None:
    """Loops keep prompt[0] or find a prompt that solves nearly everything."""
    rng, trials = np.random.default_rng(int(10 * kept)), 1000
    base = np.broadcast_to(rng.random((trials, 1 if shared else 3, 20)) < 0.03, (trials, 3, 20)).astype(float)
    keeps = rng.random((trials, 3)) < kept
    best = np.where(keeps[..., None], base, rng.random(base.shape) < 0.95)
    low, high = mean_ends([Sample(best - base, DIFFERENCES, (changes(best, base, keeps),))], shared=shared)[1:]
    truth = (1 - kept) * 0.92
    assert np.mean((low <= truth) & (truth <= high)) >= 0.93
    if kept == 0.6:
        error = mean_error([best - base], shared=shared)
        t = stats.t.ppf(0.975, error.freedom) * error.error
        assert np.mean(abs(error.value - truth) <= t) < 0.93, "Student's t alone misses"


def test_widths_fall_with_the_number_of_loops() -> None:
    found = [mean_interval([gain(constant(0.0, 0.8, loops))]) for loops in (3, 5, 10, 20)]
    assert all(width(more) < width(fewer) for fewer, more in pairwise(found))

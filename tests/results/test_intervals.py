from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from ictbench.results.intervals import Estimate, Sample, estimate, mean_interval, ratio_interval, share_interval
from ictbench.results.schema import Interval

GAINS = (-1.0, 1.0)
Rows = Sequence[Sequence[float]]


def student(degrees: float) -> float:
    """Return the two-sided 95 % point of Student's t."""
    return float(stats.t.ppf(0.975, degrees))


def sample(rows: Rows, unchanged: tuple[float, float] | None = None) -> Sample:
    """Return a family with one row per loop."""
    return Sample(np.array(rows, dtype=float), None if unchanged is None else np.array(unchanged))


def constant_loops(means: list[float], tasks: int, unchanged: tuple[float, float] | None = None) -> Sample:
    """Return loops whose tasks all have these values."""
    return sample([(mean,) * tasks for mean in means], unchanged)


def unbounded(families: list[Sample], *, shared: bool = False) -> Interval:
    """Return the interval of values from -1 to 1, not cut to these bounds."""
    found = estimate(families, shared=shared)
    value, half = float(found.value), float(found.half_width())
    return Interval(value=value, low=value - half, high=value + half)


def error_of(rows: Rows, *, shared: bool = False) -> tuple[float, float]:
    """Return squared standard error and degrees of freedom of one family."""
    found: Estimate = estimate([sample(rows)], shared=shared)
    return float(found.error) ** 2, float(found.freedom)


def test_one_family_has_the_t_interval_of_its_loop_means() -> None:
    means = [0.1, 0.9, 0.4, -0.6]
    mean = sum(means) / 4
    deviation = sqrt(sum((one - mean) ** 2 for one in means) / 3)
    found = unbounded([constant_loops(means, 50)])
    assert found.value == pytest.approx(mean)
    assert found.low == pytest.approx(mean - student(3) * deviation / sqrt(4))
    assert found.high == pytest.approx(mean + student(3) * deviation / sqrt(4))
    low, high = stats.ttest_1samp(means, 0).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((low, high))


def test_two_families_follow_welch_and_satterthwaite() -> None:
    one, other = [0.0, 0.8, 0.5], [-0.9, 0.7, 0.1, 0.9, -0.2]
    found = unbounded([constant_loops(one, 60), constant_loops(other, 60)])
    # The mean of two means is half the Welch difference of the first and the negated second.
    low, high = stats.ttest_ind(one, [-x for x in other], equal_var=False).confidence_interval(0.95)
    assert found.value == pytest.approx((sum(one) / 3 + sum(other) / 5) / 2)
    assert (found.low, found.high) == pytest.approx((low / 2, high / 2))


def test_equal_loops_have_the_floor_of_the_protocol() -> None:
    # Three loops of four tasks, each with two gains and one loss: the loop means are equal.
    rows = [(1.0, -1.0, 0.0, 1.0)] * 3
    count = 3 * 4
    squares, total = 9.0, 3.0
    deviation2 = (squares + 1) / (count + 2) - (total / (count + 2)) ** 2
    assert error_of(rows) == pytest.approx((deviation2 / (count + 2), 2))
    found = unbounded([sample(rows)])
    half = student(2) * sqrt(deviation2 / (count + 2))
    assert (found.low, found.high) == pytest.approx((0.25 - half, 0.25 + half))


def test_the_interval_scales_with_the_values() -> None:
    rows = np.array([(1.0, -1.0, 0.0, 1.0)] * 3)
    one, twice = estimate([Sample(rows)]), estimate([Sample(2 * rows)], scale=2.0)
    assert twice.half_width() == pytest.approx(2 * one.half_width())
    assert mean_interval([Sample(2 * rows)], (-2.0, 2.0)).low == pytest.approx(0.5 - twice.half_width())


@pytest.mark.parametrize("loops", [3, 5, 10])
@pytest.mark.parametrize("shared", [False, True])
def test_equal_gains_in_all_loops_have_the_floor_of_two_kept_prompts(loops: int, shared: bool) -> None:
    """With two more loops that keep prompt[0], the differences 1 … 1, 0, 0 have the variance 2L / (L + 2)²."""
    found = unbounded([constant_loops([1.0] * loops, 20, (0.0, 0.0))], shared=shared)
    half = student(loops - 1) * sqrt(2 * loops / (loops + 2) ** 3)
    assert (found.low, found.high) == pytest.approx((1 - half, 1 + half))
    assert half < 1, "gains in all loops exclude zero"


def test_the_floor_of_kept_prompts_does_not_matter_without_gains() -> None:
    means = [0.1, -0.1, 0.05, -0.05]
    assert unbounded([constant_loops(means, 20, (0.0, 0.0))]) == unbounded([constant_loops(means, 20)])


@pytest.mark.parametrize("everywhere", [0.0, 1.0])
def test_equal_outcomes_have_a_positive_width(everywhere: float) -> None:
    loops, tasks = 10, 50
    count = loops * tasks
    found = unbounded([constant_loops([everywhere] * loops, tasks)])
    # With all d = 0: ((0 + 1) / (n + 2)) / (n + 2); with all d = 1: (n + 1) / (n + 2) less (n / (n + 2)) squared.
    share = everywhere * count / (count + 2)
    floor = ((everywhere * count + 1) / (count + 2) - share**2) / (count + 2)
    assert found.value == everywhere
    assert found.low == pytest.approx(everywhere - student(loops - 1) * sqrt(floor))
    assert found.high == pytest.approx(everywhere + student(loops - 1) * sqrt(floor))
    assert floor > 0


def test_the_floor_applies_to_each_family() -> None:
    agreeing, differing = [(0.5,) * 20] * 3, [(0.1,) * 20, (0.5,) * 20, (0.9,) * 20]
    parts = [error_of(agreeing)[0] / 4, error_of(differing)[0] / 4]
    freedom = sum(parts) ** 2 / sum(part**2 / 2 for part in parts)
    found = unbounded([sample(agreeing), sample(differing)])
    assert found.high == pytest.approx(0.5 + student(freedom) * sqrt(sum(parts)))
    assert error_of(differing)[0] == pytest.approx(0.16 / 3)
    assert 2 < freedom < 4


def test_an_interval_is_cut_to_its_bounds() -> None:
    found = mean_interval([constant_loops([-1.0, 1.0, 1.0], 5)], GAINS)
    assert (found.low, found.high) == (-1.0, 1.0)
    assert mean_interval([constant_loops([0.0] * 3, 5)], (0.0, 1.0)).low == 0.0


@pytest.mark.parametrize("loops", [1, 2])
def test_fewer_than_three_loops_have_no_interval(loops: int) -> None:
    enough = constant_loops([0.2, 0.4, 0.6], 5)
    few = constant_loops([0.2, 0.4][:loops], 5)
    for families in ([few], [enough, few], [few, enough]):
        found = mean_interval(families, GAINS)
        assert (found.low, found.high) == (None, None)
    assert mean_interval([few], GAINS).value == pytest.approx(0.2 if loops == 1 else 0.3)
    assert mean_interval([enough], GAINS).low is not None


DIFFERENCES = st.sampled_from([-1.0, 0.0, 1.0])


@given(
    st.integers(1, 6).flatmap(
        lambda tasks: st.lists(
            st.lists(st.tuples(*[DIFFERENCES] * tasks), min_size=3, max_size=5), min_size=1, max_size=4
        )
    )
)
def test_an_interval_includes_its_value_and_ignores_order(families: list[Rows]) -> None:
    found = mean_interval(list(map(sample, families)), GAINS)
    assert found.low is not None
    assert found.high is not None
    assert -1 <= found.low <= found.value <= found.high <= 1
    assert found.low < found.high
    reordered = mean_interval([sample(family[::-1]) for family in reversed(families)], GAINS)
    assert (reordered.value, reordered.low, reordered.high) == pytest.approx((found.value, found.low, found.high))
    mirrored = mean_interval([Sample(-sample(family).values) for family in families], GAINS)
    assert (mirrored.low, mirrored.high) == pytest.approx((-found.high, -found.low))


@given(st.lists(st.lists(st.tuples(*[DIFFERENCES] * 4), min_size=3, max_size=3), min_size=5, max_size=5), st.booleans())
def test_batched_estimates_equal_single_ones(samples: list[Rows], shared: bool) -> None:
    together = estimate([Sample(np.array(samples), np.zeros((5, 2)))], shared=shared)
    for number, rows in enumerate(samples):
        alone = estimate([sample(rows, (0.0, 0.0))], shared=shared)
        assert together.value[number] == pytest.approx(alone.value)
        assert together.half_width()[number] == pytest.approx(alone.half_width())


@pytest.mark.parametrize(
    ("base", "best", "families"),
    [(0.1, (0.6, 1.0), 1), (0.05, (0.05, 0.05), 1), (0.5, (0.2, 1.0), 1), (0.02, (0.98, 1.0), 1), (0.3, (0.4, 0.9), 4)],
)
def test_intervals_of_3_loops_of_20_tasks_cover_the_truth(
    base: float, best: tuple[float, float], families: int
) -> None:
    """Best prompts differ in strength between loops; the true gain is known."""
    generator = np.random.default_rng(int(100 * base + 10 * best[0] + families))
    trials = 3000
    sampled = []
    for _ in range(families):
        strength = generator.uniform(*best, (trials, 3, 1))
        outcomes = (generator.random((trials, 3, 20)) < strength).astype(float)
        sampled.append(Sample(outcomes - (generator.random((trials, 3, 20)) < base)))
    found = estimate(sampled)
    assert (abs(found.value - (sum(best) / 2 - base)) <= found.half_width()).mean() >= 0.93


def test_shared_games_with_equal_loops_have_the_error_of_the_games() -> None:
    games = (1.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 1.0, 1.0, 0.0)
    assert error_of([games] * 4, shared=True) == pytest.approx((stats.tvar(games) / 10, 9))


def test_shared_games_with_equal_games_have_the_error_of_the_loops() -> None:
    rows = [(mean,) * 12 for mean in (0.1, 0.9, 0.4, -0.6)]
    assert error_of(rows, shared=True) == pytest.approx((error_of(rows)[0], 3))


def test_shared_games_follow_the_analysis_of_variance() -> None:
    """Two loops, two games, by hand: MS_L = 0.25, MS_T = 2.25, MS_LT = 0.25."""
    assert error_of([(1.0, 0.0), (1.0, -1.0)], shared=True) == pytest.approx(((0.25 + 2.25 - 0.25) / 4, 1))


def test_one_shared_game_has_an_interval() -> None:
    error, freedom = error_of([(1.0,), (0.0,), (1.0,)], shared=True)
    assert error > 0
    assert freedom == 1


def test_shared_and_own_games_differ_only_in_width() -> None:
    family = sample([(1.0, 0.0, 1.0, 0.0), (1.0, 0.0, 1.0, 1.0), (1.0, 0.0, 0.0, 0.0)])
    own, shared = unbounded([family]), unbounded([family], shared=True)
    assert own.value == shared.value
    assert own.low is not None
    assert shared.low is not None
    assert shared.low < own.low, "shared games carry less information"


@given(st.integers(2, 5).flatmap(lambda tasks: st.lists(st.tuples(*[DIFFERENCES] * tasks), min_size=3, max_size=6)))
def test_a_crossed_error_is_positive_and_ignores_order(rows: list[tuple[float, ...]]) -> None:
    error, freedom = error_of(rows, shared=True)
    assert error > 0
    assert freedom > 0
    assert error_of([row[::-1] for row in rows[::-1]], shared=True) == pytest.approx((error, freedom))


def test_shared_games_cover_the_truth() -> None:
    """Differences with crossed effects of loops and games around the true mean of zero."""
    rng = np.random.default_rng(5)
    games, loops = rng.normal(0, 0.3, (3000, 1, 20)), rng.normal(0, 0.15, (3000, 10, 1))
    found = estimate([Sample(games + loops + rng.normal(0, 0.4, (3000, 10, 20)))], shared=True)
    assert (abs(found.value) <= found.half_width()).mean() >= 0.93


@given(
    st.lists(st.tuples(*[st.tuples(st.booleans(), st.booleans())] * 6), min_size=3, max_size=6),
    st.booleans(),
)
def test_the_interval_of_a_ratio_ends_where_the_residual_may_be_zero(
    loops: list[tuple[tuple[bool, bool], ...]], shared: bool
) -> None:
    """For the headroom gain: best minus base, divided by 1 minus base."""
    base, best = np.array(loops, dtype=float).transpose(2, 0, 1)
    if base.all():
        return
    room = 1 - base.mean()
    found = ratio_interval(
        [Sample(best - base, np.zeros(2))], [Sample(1 - base, np.full(2, room))], low=float("-inf"), shared=shared
    )
    assert found.value == pytest.approx((best.mean() - base.mean()) / room)

    def excess(ratio: float) -> float:
        rest = Sample(best - base - ratio * (1 - base), np.full(2, -ratio * room))
        estimated = estimate([rest], shared=shared, scale=max(1.0, 1.0 - ratio))
        return float(abs(estimated.value) - estimated.half_width())

    if found.low is None or found.high is None:
        assert excess(-1e6) <= 0 or room <= estimate([Sample(1 - base)], shared=shared).half_width()
        return
    assert found.low <= found.value <= found.high <= 1
    step = 1e-6
    assert excess(found.low + step) <= step
    assert excess(found.low - step) >= -step
    assert excess(found.high - step) <= step
    assert found.high == 1 or excess(found.high + step) >= -step


def test_a_ratio_to_a_constant_has_the_scaled_interval_of_a_mean() -> None:
    rng = np.random.default_rng(0)
    numerator = Sample((rng.random((10, 50)) < rng.uniform(0.1, 0.5, (10, 1))).astype(float))
    # Loops differ enough that the floor, which depends on the ratio, does not apply.
    found = ratio_interval([numerator], [Sample(np.full((10, 50), 0.5))], low=0.0)
    plain = mean_interval([numerator], (0.0, 1.0))
    assert plain.low is not None
    assert plain.high is not None
    assert (found.value, found.low, found.high) == pytest.approx((plain.value * 2, plain.low * 2, plain.high * 2))


@given(st.integers(1, 60).flatmap(lambda total: st.tuples(st.integers(0, total), st.just(total))))
def test_a_share_has_the_exact_binomial_interval(of: tuple[int, int]) -> None:
    count, total = of
    found = share_interval(count, total)
    exact = stats.binomtest(count, total).proportion_ci(0.95, method="exact")
    assert (found.value, found.low, found.high) == pytest.approx((count / total, exact.low, exact.high))

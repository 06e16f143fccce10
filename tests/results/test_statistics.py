from __future__ import annotations

import random
from math import sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from ictbench.results.statistics import Family, crossed_error, mean_interval, squared_error

WIDE = (-100.0, 100.0)
GAINS = (-1.0, 1.0)


def student(degrees: float) -> float:
    """The two-sided 95 % point of Student's t."""
    return float(stats.t.ppf(0.975, degrees))


def spread_out(means: list[float], tasks: int) -> Family:
    """Loops of these means, one row a loop."""
    return tuple((mean,) * tasks for mean in means)


def test_one_family_has_the_t_interval_of_its_loop_means() -> None:
    means = [0.1, 0.9, 0.4, -0.6]
    mean = sum(means) / 4
    deviation = sqrt(sum((one - mean) ** 2 for one in means) / 3)
    found = mean_interval([spread_out(means, 50)], WIDE)
    assert found.value == pytest.approx(mean)
    assert found.low == pytest.approx(mean - student(3) * deviation / sqrt(4))
    assert found.high == pytest.approx(mean + student(3) * deviation / sqrt(4))
    low, high = stats.ttest_1samp(means, 0).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((low, high))


def test_two_families_follow_welch_and_satterthwaite() -> None:
    one, other = [0.0, 0.8, 0.5], [-0.9, 0.7, 0.1, 0.9, -0.2]
    found = mean_interval([spread_out(one, 60), spread_out(other, 60)], WIDE)
    # Half the sum of two means is their Welch difference, the other one negated, halved.
    low, high = stats.ttest_ind(one, [-x for x in other], equal_var=False).confidence_interval(0.95)
    assert found.value == pytest.approx((sum(one) / 3 + sum(other) / 5) / 2)
    assert (found.low, found.high) == pytest.approx((low / 2, high / 2))


def test_loops_that_agree_get_the_floor_of_the_protocol() -> None:
    # Three loops of four tasks, each loop with one gain and one loss in four: the loop means do not differ at all.
    family: Family = ((1.0, -1.0, 0.0, 1.0),) * 3
    count = 3 * 4
    squares, total = 9.0, 3.0
    deviation2 = (squares + 1) / (count + 2) - (total / (count + 2)) ** 2
    assert squared_error(family) == pytest.approx(deviation2 / (count + 2))
    found = mean_interval([family], WIDE)
    half = student(2) * sqrt(deviation2 / (count + 2))
    assert (found.low, found.high) == pytest.approx((0.25 - half, 0.25 + half))


@pytest.mark.parametrize("everywhere", [0.0, 1.0])
def test_all_equal_is_not_certainty(everywhere: float) -> None:
    loops, tasks = 10, 50
    count = loops * tasks
    found = mean_interval([spread_out([everywhere] * loops, tasks)], WIDE)
    # With all d = 0: ((0 + 1) / (n + 2)) / (n + 2); with all d = 1: (n + 1) / (n + 2) less (n / (n + 2)) squared.
    share = everywhere * count / (count + 2)
    floor = ((everywhere * count + 1) / (count + 2) - share**2) / (count + 2)
    assert found.value == everywhere
    assert found.low == pytest.approx(everywhere - student(loops - 1) * sqrt(floor))
    assert found.high == pytest.approx(everywhere + student(loops - 1) * sqrt(floor))
    assert floor > 0


def test_the_floor_counts_family_by_family() -> None:
    agreeing, differing = spread_out([0.5] * 3, 20), spread_out([0.1, 0.5, 0.9], 20)
    parts = [squared_error(agreeing) / 4, squared_error(differing) / 4]
    freedom = sum(parts) ** 2 / sum(part**2 / 2 for part in parts)
    found = mean_interval([agreeing, differing], WIDE)
    assert found.high == pytest.approx(0.5 + student(freedom) * sqrt(sum(parts)))
    assert squared_error(differing) == pytest.approx(0.16 / 3)
    assert 2 < freedom < 4


def test_an_interval_is_cut_to_what_is_possible() -> None:
    found = mean_interval([spread_out([-1.0, 1.0, 1.0], 5)], GAINS)
    assert (found.low, found.high) == (-1.0, 1.0)
    assert mean_interval([spread_out([0.0] * 3, 5)], (0.0, 1.0)).low == 0.0


@pytest.mark.parametrize("loops", [1, 2])
def test_fewer_than_three_loops_have_no_interval(loops: int) -> None:
    enough = spread_out([0.2, 0.4, 0.6], 5)
    few = spread_out([0.2, 0.4][:loops], 5)
    for families in ([few], [enough, few], [few, enough]):
        found = mean_interval(families, WIDE)
        assert (found.low, found.high) == (None, None)
    assert mean_interval([few], WIDE).value == pytest.approx(0.2 if loops == 1 else 0.3)
    assert mean_interval([enough], WIDE).low is not None


DIFFERENCES = st.sampled_from([-1.0, 0.0, 1.0])


@given(
    st.integers(1, 6).flatmap(
        lambda tasks: st.lists(
            st.lists(st.tuples(*[DIFFERENCES] * tasks), min_size=3, max_size=5).map(tuple), min_size=1, max_size=4
        )
    )
)
def test_an_interval_holds_its_value_and_does_not_depend_on_order(families: list[Family]) -> None:
    found = mean_interval(families, GAINS)
    assert found.low is not None
    assert found.high is not None
    assert -1 <= found.low <= found.value <= found.high <= 1
    assert found.low < found.high
    reordered = mean_interval([tuple(reversed(family)) for family in reversed(families)], GAINS)
    assert (reordered.value, reordered.low, reordered.high) == pytest.approx((found.value, found.low, found.high))
    negated = [tuple(tuple(-d for d in loop) for loop in family) for family in families]
    mirrored = mean_interval(negated, GAINS)
    assert (mirrored.low, mirrored.high) == pytest.approx((-found.high, -found.low))


@pytest.mark.parametrize(
    ("base", "best", "families"),
    [(0.1, (0.6, 1.0), 1), (0.05, (0.05, 0.05), 1), (0.5, (0.2, 1.0), 1), (0.02, (0.98, 1.0), 1), (0.3, (0.4, 0.9), 4)],
)
def test_intervals_of_3_loops_of_20_tasks_cover_the_truth(
    base: float, best: tuple[float, float], families: int
) -> None:
    """Loops whose best prompts differ in strength, tasks that are won by chance: 95 % should hold the true gain."""
    generator = random.Random(f"{base} {best} {families}")
    truth = sum(best) / 2 - base
    trials, covered = 1500 // families, 0
    for _ in range(trials):
        sample = []
        for _ in range(families):
            loops = []
            for _ in range(3):
                strength = generator.uniform(*best)
                pairs = [(generator.random() < strength, generator.random() < base) for _ in range(20)]
                loops.append(tuple(float(after) - float(before) for after, before in pairs))
            sample.append(tuple(loops))
        found = mean_interval(sample, GAINS)
        assert found.low is not None
        assert found.high is not None
        covered += found.low <= truth <= found.high
    assert covered / trials >= 0.93


def test_shared_games_on_which_all_loops_agree_leave_only_the_games_to_chance() -> None:
    games = (1.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 1.0, 1.0, 0.0)
    error, degrees = crossed_error((games,) * 4)
    assert error == pytest.approx(stats.tvar(games) / 10)
    assert degrees == 9


def test_shared_games_that_are_all_alike_leave_only_the_loops_to_chance() -> None:
    family = spread_out([0.1, 0.9, 0.4, -0.6], 12)
    error, degrees = crossed_error(family)
    assert error == pytest.approx(squared_error(family))
    assert degrees == pytest.approx(3)


def test_shared_games_follow_the_analysis_of_variance() -> None:
    """Two loops, two games, by hand: MS_L = 0.25, MS_T = 2.25, MS_LT = 0.25."""
    error, degrees = crossed_error(((1.0, 0.0), (1.0, -1.0)))
    assert error == pytest.approx((0.25 + 2.25 - 0.25) / 4)
    assert degrees == 1


def test_shared_and_own_games_differ_only_in_their_spread() -> None:
    family = ((1.0, 0.0, 1.0, 0.0), (1.0, 0.0, 1.0, 1.0), (1.0, 0.0, 0.0, 0.0))
    own, shared = mean_interval([family], WIDE), mean_interval([family], WIDE, shared=True)
    assert own.value == shared.value
    assert own.low is not None
    assert shared.low is not None
    assert shared.low < own.low, "the same games throughout tell less"
    assert mean_interval([family[:2]], WIDE, shared=True).low is None


@given(
    st.integers(2, 5).flatmap(
        lambda tasks: st.lists(st.tuples(*[st.sampled_from([-1.0, 0.0, 1.0])] * tasks), min_size=3, max_size=6)
    )
)
def test_a_crossed_error_is_positive_and_knows_no_order(loops: list[tuple[float, ...]]) -> None:
    error, degrees = crossed_error(tuple(loops))
    assert error > 0
    assert degrees > 0
    again = crossed_error(tuple(tuple(reversed(loop)) for loop in reversed(loops)))
    assert again == pytest.approx((error, degrees))


def test_shared_games_cover_the_truth() -> None:
    """Crossed effects of loops and games on a difference; the truth is its mean, zero."""
    rng, hits = random.Random(5), 0
    for _ in range(300):
        games = [rng.gauss(0, 0.3) for _ in range(20)]
        loops = [rng.gauss(0, 0.15) for _ in range(10)]
        family = tuple(tuple(loop + game + rng.gauss(0, 0.4) for game in games) for loop in loops)
        found = mean_interval([family], WIDE, shared=True)
        assert found.low is not None
        assert found.high is not None
        hits += found.low <= 0 <= found.high
    assert hits / 300 >= 0.93

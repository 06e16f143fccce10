from __future__ import annotations

import itertools
from statistics import fmean

import numpy as np
import pytest
from finished import loop
from hypothesis import given
from hypothesis import strategies as st

from ictbench.results.intervals import Sample, mean_interval
from ictbench.results.measures import measure
from ictbench.results.outcomes import repeated_outcomes, task_rates
from ictbench.results.reliability import noise_share, pass_k


@given(st.lists(st.booleans(), min_size=1, max_size=7), st.data())
def test_pass_k_is_the_share_of_subsets_of_k_episodes_that_are_all_solved(
    episodes: list[bool], data: st.DataObject
) -> None:
    k = data.draw(st.integers(1, len(episodes)))
    subsets = [all(subset) for subset in itertools.combinations(episodes, k)]
    assert pass_k(np.array([episodes], float), k)[0] == pytest.approx(fmean(subsets))


@given(st.integers(1, 6), st.floats(0, 1), st.data())
def test_pass_k_is_unbiased(repeats: int, p: float, data: st.DataObject) -> None:
    k = data.draw(st.integers(1, repeats))
    outcomes = np.array(list(itertools.product((0.0, 1.0), repeat=repeats)))
    solved = outcomes.sum(axis=-1)
    weights = p**solved * (1 - p) ** (repeats - solved)
    assert weights @ pass_k(outcomes, k) == pytest.approx(p**k)


def test_outcomes_are_tasks_by_repeats() -> None:
    assert repeated_outcomes(["110001"], 2).tolist() == [[[1, 1, 0], [0, 0, 1]]]
    assert task_rates(["110001", "000111"], 2).tolist() == [[2 / 3, 1 / 3], [0, 1]]


def test_repeats_that_agree_have_no_noise_and_pass_k_is_the_success_rate() -> None:
    outcomes = np.repeat([[[1.0], [0.0], [1.0]], [[0.0], [0.0], [1.0]]], 4, axis=-1)
    assert noise_share([outcomes], shared=False) == 0
    assert pass_k(outcomes, 4).mean() == outcomes.mean()


def test_noise_is_unknown_where_all_episodes_end_alike_or_there_is_one_task() -> None:
    assert noise_share([np.ones((3, 5, 2))], shared=False) is None
    assert noise_share([np.zeros((3, 5, 2))], shared=True) is None
    assert noise_share([np.array([[[1.0, 0.0]]])], shared=False) is None


@given(st.integers(2, 4), st.integers(2, 5), st.integers(2, 4), st.randoms(use_true_random=False))
def test_the_variance_is_the_sum_of_the_components_of_the_nested_analysis(
    loops: int, tasks: int, repeats: int, random: np.random.Generator
) -> None:
    draws = [random.random() < 0.5 for _ in range(loops * tasks * repeats)]
    outcomes = np.array(draws, float).reshape(loops, tasks, repeats)
    by_task = outcomes.mean(axis=-1)
    of_loops = repeats * tasks * by_task.mean(axis=-1).var(ddof=1)
    of_tasks = repeats * by_task.var(axis=-1, ddof=1).mean()
    noise = outcomes.var(axis=-1, ddof=1).mean()
    total = noise + (of_tasks - noise) / repeats + (of_loops - of_tasks) / (repeats * tasks)
    found = noise_share([outcomes], shared=False)
    assert found is None if total == 0 else found == pytest.approx(min(1.0, noise / total))


@pytest.mark.parametrize("shared", [False, True])
def test_the_share_of_noise_is_the_true_one_in_many_loops(shared: bool) -> None:
    rng = np.random.default_rng(3)
    loop_effects, task_effects = rng.uniform(-0.2, 0.2, (1000, 1)), rng.uniform(-0.3, 0.3, (1000, 40))
    p = 0.5 + loop_effects + (task_effects[:1] if shared else task_effects)
    outcomes = (rng.random((1000, 40, 3)) < p[..., None]).astype(float)
    found = noise_share([outcomes], shared=shared)
    noise = (p * (1 - p)).mean()
    assert found == pytest.approx(noise / (noise + p.var()), abs=0.02)


def test_noise_of_shared_games_counts_episodes_that_all_loops_share_once() -> None:
    # prompt[0] of every loop on the same games: all loops have the same episodes.
    rng = np.random.default_rng(5)
    p = rng.uniform(0.1, 0.9, 20_000)
    games = (rng.random((20_000, 2)) < p[:, None]).astype(float)
    found = noise_share([np.stack([games] * 5)], shared=True)
    assert found == pytest.approx((p * (1 - p)).mean() / ((p * (1 - p)).mean() + p.var()), abs=0.02)


def test_measures_state_reliability_only_where_tasks_are_repeated() -> None:
    once = [loop(["00", "11"], {0: "0000", 1: "1100"}, best=1, index=index) for index in range(3)]
    assert measure([tuple(once)]).reliability is None
    twice = [
        one.model_copy(update={"test_tasks": (f"a{one.index}", f"b{one.index}"), "test": {0: "0000", 1: "1110"}})
        for one in once
    ]
    reliability = measure([tuple(twice)]).reliability
    assert reliability is not None
    assert [interval.value for interval in reliability.best.pass_k] == [0.75, 0.5]
    assert reliability.last == reliability.best
    assert [interval.value for interval in reliability.base.pass_k] == [0, 0]
    assert reliability.base.noise is None


def test_intervals_include_sampling_noise() -> None:
    """The value of a task is the mean over its repeats, so its variance contains that of the noise.

    All tasks have the same success probability: everything that varies is noise.
    """
    rng = np.random.default_rng(7)
    covered = 0
    for _ in range(400):
        outcomes = (rng.random((5, 10, 3)) < 0.5).astype(float)
        interval = mean_interval([Sample(outcomes.mean(axis=-1), (0.0, 1.0))])
        assert interval.low is not None
        assert interval.high is not None
        covered += interval.low <= 0.5 <= interval.high
    assert covered / 400 > 0.93

from __future__ import annotations

import pytest

from ictbench.models import UsageMeter
from ictbench.records import Usage
from ictbench.runs.family_progress import FamilyProgress
from ictbench.runs.progress import Progress

CENT = Usage(calls=1, cost=0.01)


def progress_of(**planned: int) -> Progress:
    families = {name: FamilyProgress(turns=4, episodes=episodes) for name, episodes in planned.items()}
    return Progress(families, 1, UsageMeter())


def play(progress: Progress, family: str, episodes: int, cost: float, shared: int = 0) -> None:
    """Count episodes of equal cost, and some that are shared with others and cost nothing."""
    for _ in range(episodes):
        usage = Usage(calls=1, cost=cost)
        progress.meter.count(usage)
        progress.played += 1
        progress.costs.add_episode(family, usage)
        progress.families[family].episodes_done += 1
    progress.families[family].episodes_done += shared


def test_what_is_left_costs_what_its_family_has_cost_so_far() -> None:
    progress = progress_of(cheap=100, dear=100)
    play(progress, "cheap", 20, 0.01)
    play(progress, "dear", 10, 0.1)
    assert progress.costs.total() == pytest.approx(0.2 + 1.0 + 80 * 0.01 + 90 * 0.1)


def test_a_family_without_episodes_yet_costs_the_mean_of_all() -> None:
    progress = progress_of(played=100, waiting=50)
    play(progress, "played", 20, 0.05)
    assert progress.costs.total() == pytest.approx(150 * 0.05)


def test_shared_episodes_lower_the_mean() -> None:
    progress = progress_of(eat=100)
    play(progress, "eat", 20, 0.05, shared=20)
    assert progress.costs.total() == pytest.approx(1.0 + 60 * 0.025)


def test_reflections_are_projected_by_turn() -> None:
    progress = progress_of(eat=20)
    play(progress, "eat", 20, 0.01)
    progress.costs.add_reflection("eat", Usage(calls=1, cost=0.5))
    progress.meter.count(Usage(calls=1, cost=0.5))
    progress.families["eat"].turns_done = 1
    assert progress.costs.total() == pytest.approx(0.2 + 0.5 + 3 * 0.5)


def test_what_the_journal_held_is_left_out_of_the_mean_but_not_of_what_is_spent() -> None:
    progress = progress_of(eat=100)
    progress.meter.spent = Usage(calls=50, cost=2.0)
    progress.families["eat"].episodes_done = 50
    play(progress, "eat", 20, 0.01)
    assert progress.costs.total() == pytest.approx(2.0 + 0.2 + 30 * 0.01)


def test_unreported_requests_are_projected_with_their_upper_estimate() -> None:
    progress = progress_of(eat=40)
    for _ in range(20):
        usage = Usage(calls=1, unreported=1, cost=None, cost_at_most=0.02)
        progress.meter.count(usage)
        progress.played += 1
        progress.costs.add_episode("eat", usage)
        progress.families["eat"].episodes_done += 1
    assert progress.costs.total() == pytest.approx(0.8)


@pytest.mark.parametrize(("planned", "played"), [(100, 19), (2000, 39), (10, 10)])
def test_there_is_no_projection_from_few_episodes(planned: int, played: int) -> None:
    progress = progress_of(eat=planned)
    play(progress, "eat", played, 0.01)
    assert progress.costs.total() is None


def test_there_is_no_projection_without_a_price() -> None:
    progress = progress_of(eat=100)
    for _ in range(30):
        usage = Usage(calls=1, cost=None)
        progress.meter.count(usage)
        progress.played += 1
        progress.costs.add_episode("eat", usage)
    assert progress.costs.total() is None


def test_episodes_of_streams_cost_the_mean_of_all_as_their_tasks_are_of_other_families() -> None:
    progress = progress_of(blocked=100, drifting=100)
    for stream, episodes in (("blocked", 30), ("drifting", 10)):
        for number in range(episodes):
            usage = Usage(calls=1, cost=0.02)
            progress.meter.count(usage)
            progress.costs.add_episode(("read", "zap")[number % 2], usage)
            progress.families[stream].episodes_done += 1
    assert progress.costs.total() == pytest.approx(200 * 0.02)

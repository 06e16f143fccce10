"""Smallest p-values that a campaign can reach, and the warning where they are too large."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_campaign import SIZES, small_campaign, small_matrix

from ictbench.campaigns.cell_comparisons import groups_of
from ictbench.campaigns.plan_campaign import plan_campaign
from ictbench.campaigns.reachable_p import reachable_in_plan, reachable_in_results, unreachable_text

EXAMPLE = Path(__file__).parents[2] / "examples/campaigns/controls.yaml"
REFLECTORS = ["none", "rules", "blind:rules"]


@pytest.mark.parametrize(
    ("families", "loops", "smallest"),
    [
        (["read", "zap"], 6, 2 * 2 / 2**6),  # two groups of one family
        (["read", "zap"], 7, 2 * 2 / 2**7),
        ([["read", "zap"]], 3, 2 / 2**6),  # one group of two families
        (["read"], 3, 2 / 2**3),
    ],
)
def test_the_plan_corrects_for_groups_and_counts_loops_of_all_families(
    families: list[str], loops: int, smallest: float
) -> None:
    options = {"suite": "minihack-v1", "actor": "rules", "executor": "inline", **SIZES, "loops": loops}
    matrix = {"reflector": REFLECTORS, "families": families}
    cells = plan_campaign(small_matrix(options=options, matrix=matrix)).cells
    assert reachable_in_plan(cells) == smallest
    assert (unreachable_text(smallest) is None) == (smallest <= 0.05)


def test_nothing_is_reachable_and_nothing_is_warned_of_without_two_cells_on_the_same_tasks() -> None:
    matrix = {"reflector": ["rules"], "families": ["read", "zap"]}
    assert reachable_in_plan(plan_campaign(small_matrix(matrix=matrix)).cells) is None
    assert unreachable_text(None) is None


def test_results_reach_what_their_plan_reaches_and_no_less() -> None:
    results, plan = small_campaign().results(), plan_campaign(small_matrix())
    reachable = reachable_in_results(groups_of(results), results)
    assert reachable == reachable_in_plan(plan.cells) == 0.5
    assert all(pair.p_campaign >= reachable for pair in small_campaign().comparisons())
    assert "the smallest p after correction is 0.500" in (small_campaign().folder / "report.md").read_text()


def test_the_example_can_find_a_difference() -> None:
    reachable = reachable_in_plan(plan_campaign(EXAMPLE).cells)
    assert reachable is not None
    assert reachable <= 0.01

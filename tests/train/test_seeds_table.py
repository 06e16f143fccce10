"""Leads over the seeds of an experiment, and the matrix across worlds."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from types import ModuleType

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module("seeds_table")


@pytest.fixture
def matrix(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module("worlds_matrix")


def test_a_lead_has_the_interval_of_students_t(table: ModuleType) -> None:
    # t = 0.2 / (0.1 / sqrt(3)) = 3.46 with 2 degrees of freedom; its 97.5 % quantile is 4.303.
    lead = table.Lead.over([0.1, 0.2, 0.3])
    assert lead[:4] == pytest.approx((0.2, 0.2 - 0.24842, 0.2 + 0.24842, 0.07418), abs=1e-4)
    assert not lead.shown


@pytest.mark.parametrize(
    ("leads", "shown"),
    [((0.2, 0.2, 0.2), True), ((0.0, 0.0, 0.0), False), ((-0.2, -0.2, -0.2), False), ((0.2, 0.21, 0.2), True)],
)
def test_equal_leads_have_no_width_and_only_a_positive_one_is_shown(
    table: ModuleType, leads: tuple[float, ...], *, shown: bool
) -> None:
    assert table.Lead.over(leads).shown == shown


@pytest.mark.parametrize(
    ("prompt", "family", "named"),
    [
        ('After you have seen "You see here", choose "zap".', "zap", True),
        ('After you have seen "You see here", choose "zap".', "read", False),
        ('Do "cool" before "move".', "cool", True),
        ('Do "use" before "move".', "look", True),
        ('Do "cool" before "move".', "pick-two", None),
        ('Walk onto ">".', "room-dark", None),
    ],
)
def test_what_names_the_solving_action(table: ModuleType, prompt: str, family: str, *, named: bool | None) -> None:
    assert table.names_solution(prompt, family) is named


def test_the_matrix_names_the_arms_that_are_not_led(matrix: ModuleType, table: ModuleType) -> None:
    level = dict.fromkeys(("base", *table.MEASURES), 0.5)
    arms = {(name, seed, "zap"): dict(level) for name in ("none", *table.REQUIRED) for seed in (0, 1, 2)}
    arms |= {("trained", seed, "zap"): dict.fromkeys(level, 0.9) for seed in (0, 1, 2)}
    for seed in (0, 1, 2):
        arms["random action", seed, "zap"]["best"] = 0.9
    ((family, first, untrained, trained, missed),) = matrix.cell_rows(arms, (0, 1, 2))
    assert (family, first, untrained, trained) == ("zap", "0.50, 0.50, 0.50", "0.50, 0.50, 0.50", "0.90, 0.90, 0.90")
    assert missed == "random action (best)"

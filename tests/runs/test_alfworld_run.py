"""Runs on ALFWorld: generated games, the solver, missing official games."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import ictbench
from ictbench.errors import ConfigError, UsageError
from ictbench.runs.options import Options
from ictbench.runs.plan import make_plan

if TYPE_CHECKING:
    from pathlib import Path

TINY = {"turns": 1, "batch_size": 2, "loops": 3, "selection_size": 1, "test_size": 2}


@pytest.fixture(autouse=True)
def no_official_games(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    monkeypatch.setenv("ALFWORLD_DATA", str(tmp_path / "data"))


def test_the_solver_wins_every_generated_game_and_is_never_ranked(tmp_path: Path) -> None:
    options = {**TINY, "env": "alfworld", "actor": "solver", "reflector": "none", "families": ["look", "cool"]}
    one, other = (ictbench.run(**options, out=tmp_path / name) for name in ("one", "other"))  # type: ignore[arg-type]
    result = one.result
    assert (result.suite.name, result.intervals) == ("alfworld-procgen-v1", "over loops")
    assert all(family.measures and family.measures.best.value == 1 for family in result.families)
    assert "actor solver is told the solutions" in result.deviations
    assert not result.ranked
    for name in ("episodes.jsonl.gz", "run.json"):
        assert (one.folder / name).read_bytes() == (other.folder / name).read_bytes()


def test_generated_games_replace_missing_official_ones_with_a_note() -> None:
    plan = make_plan(Options.parse({"env": "alfworld"}))
    assert plan.suite.name == "alfworld-procgen-v1"
    (note,) = plan.notes
    assert note.startswith("alfworld-v1 cannot be played here, so this is alfworld-procgen-v1: ")
    assert "ictbench data fetch alfworld" in note
    assert make_plan(Options.parse({"suite": "alfworld-v1"})).notes == ()


def test_missing_games_are_reported_before_anything_is_played(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"\d+ of \d+ ALFWorld games cannot be used; the first: the official game"):
        ictbench.run(**TINY, suite="alfworld-v1", out=tmp_path / "run")  # type: ignore[arg-type]
    assert not (tmp_path / "run").exists()
    with pytest.raises(UsageError, match="ALFWorld games cannot be used"):
        ictbench.dry_run(suite="alfworld-v1")


def test_an_environment_without_a_solver_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="actor 'solver' needs a solver, which environment 'minihack' has not"):
        ictbench.run(env="minihack", actor="solver", reflector="none", out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_bounds_count_full_pools_per_family() -> None:
    plan = make_plan(Options.parse({"suite": "alfworld-v1", "profile": "lite", "families": "cool,pick"}))
    each = [plan.episode_bounds(family) for family in ("cool", "pick")]
    assert [bounds["test_episodes"] for bounds in each] == [5 * 3 * 21, 5 * 3 * 24]
    assert plan.episode_bounds()["episodes"] == sum(bounds["episodes"] for bounds in each)
    smaller = make_plan(Options.parse({"suite": "alfworld-v1", "profile": "lite", "test_size": 5}))
    assert "test_size 5 instead of the whole pool" in smaller.deviations()

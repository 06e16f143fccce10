"""Runs of `textworld-v1`: the protocol with the scripted pair, progress in its records, and replay verification."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ictbench
from ictbench.envs.textworld_games.game_store import game_path
from ictbench.envs.textworld_games.settings import settings_of
from ictbench.submissions.episode_records import evidence_of_run

if TYPE_CHECKING:
    from pathlib import Path


def test_a_run_is_replayed_and_a_game_that_changed_is_found(tmp_path: Path) -> None:
    run = ictbench.run(
        suite="textworld-v1",
        families=["treasure", "cook"],
        actor="solver",
        reflector="none",
        loops=1,
        turns=1,
        batch_size=1,
        selection_size=1,
        test_size=1,
        out=tmp_path / "run",
        workers=1,
    )
    assert run.result.complete
    assert run.result.versions.keys() >= {"textworld", "jericho"}
    records = list(evidence_of_run(run.folder).episodes())
    assert {(record.trajectory.end, record.progress) for record in records} == {("solved", 1.0)}
    assert ictbench.verify(run, workers=1).passed
    # The cache has another game in place of one that was played.
    game, other = (
        next(record.task for record in records if record.task.family == name) for name in ("cook", "treasure")
    )
    game_path(settings_of(game)).write_bytes(game_path(settings_of(other)).read_bytes())
    verification = ictbench.verify(run, workers=1)
    assert not verification.passed
    assert "observations" in {check.name for check in verification.checks if check.verdict == "failed"}
    game_path(settings_of(game)).unlink()

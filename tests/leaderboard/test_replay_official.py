"""The official ALFWorld games come out as recorded; skipped where they are absent."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import ictbench
from ictbench.errors import ConfigError

sys.path.insert(0, str(Path(__file__).parents[1] / "envs" / "alfworld"))
from official_games import folder_of_official_games


def test_a_run_on_official_games_is_verified_and_then_without_them_cannot_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALFWORLD_DATA", str(folder_of_official_games()))
    run = ictbench.run(
        suite="alfworld-v1", loops=1, turns=1, batch_size=1, selection_size=1, test_size=1, out=tmp_path / "run"
    )
    found = ictbench.verify(run.folder)
    assert found.passed
    assert found.replayed is not None
    assert len(run.result.families) == 6
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("ALFWORLD_DATA", str(tmp_path / "empty"))
    with pytest.raises(ConfigError, match="ALFWorld games cannot be used; the first: the official game"):
        ictbench.verify(run.folder)

"""Submission of what a person played."""

from __future__ import annotations

from typing import TYPE_CHECKING

from random_player import Player

from ictbench.actors.person import MEMORY
from ictbench.board.entries import read_board
from ictbench.board.ranking import rank
from ictbench.runs.person_run import plan_person_run, play_person_run
from ictbench.runs.run_folder import RunFolder
from ictbench.submissions.layout import BoardFolder

if TYPE_CHECKING:
    from pathlib import Path

    import pytest
    from command_line import CommandLine


def test_a_board_shows_a_person_in_a_track_without_ranks(
    tmp_path: Path, call: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    plan = plan_person_run(suite="minihack-v1", families="zap", loops=3, test_size=2, name="Ada")
    run = play_person_run(plan, RunFolder(tmp_path / "run"), Player())
    boards = tmp_path / "leaderboards"
    words = ["submit", str(run.folder), "--name", "A person", "--description", "Played at a terminal."]
    words += ["--submitted-by", "Ada", "--leaderboards", str(boards)]
    code, _, err = call(*words)
    assert code == 2
    assert MEMORY in err
    assert "what the actor was trained on: --actor-trained-on" in err
    code, _, err = call(*words, "--unranked", "--actor-trained-on", "unknown")
    assert (code, err) == (0, "")
    entries = read_board(BoardFolder(boards / "minihack-v1")).entries
    assert [entry.why_unranked for entry in entries] == [
        ("shown", f"a human baseline, never ranked: its actor {MEMORY}")
    ]
    assert entries[0].actor_trained_on is None
    assert rank(entries) == ()

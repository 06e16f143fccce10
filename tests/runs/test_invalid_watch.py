"""Runs of a model none of whose replies names an available action: they go on, and say so early and at the end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import ictbench
from ictbench.results.invalid_actions import MAX_WORDS
from ictbench.results.notes import remarks
from ictbench.testing import ScriptedServer

if TYPE_CHECKING:
    from pathlib import Path

    from ictbench.runs.progress import Progress

OPTIONS: dict[str, Any] = {
    "suite": "minihack-v1",
    "families": "eat",
    "turns": 1,
    "batch_size": 2,
    "loops": 1,
    "selection_size": 2,
    "test_size": 2,
    "max_steps": 20,
    "executor": "inline",
    "actor": "openai/scripted",
    "reflector": "none",
    "quiet": True,
}


def play(folder: Path, *replies: str, **options: Any) -> tuple[ictbench.Run, list[str]]:
    started: list[Progress] = []
    with ScriptedServer(replies) as server:
        run = ictbench.run(
            **OPTIONS | options,
            actor_base_url=server.url,
            out=folder / "run",
            on_start=lambda _, progress: started.append(progress),
        )
    return run, [note for note in started[0].notes if "available action" in note]


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        ("I go north.\n\nIt is near.", r"it wrote 'I go north.\n\nIt is near.', without an action"),
        ("Thought: hm\nAction: fly", "it wrote the action 'fly'"),
        ("Action: " + "fly " * 100, f"it wrote the action '{('fly ' * 100)[: MAX_WORDS - 1]}…"),
    ],
)
def test_a_model_without_any_valid_action_is_named_early_and_below_the_table(
    tmp_path: Path, reply: str, words: str
) -> None:
    run, notes = play(tmp_path, reply)
    assert run.result.complete
    (note,) = notes
    assert note.startswith("The actor named an available action in none of its first 60 decisions; instead ")
    (line,) = (line for line in remarks(run.result) if "available action" in line)
    assert "none of its decisions on test tasks" in line
    for remark in (note, line):
        assert words in remark
        assert "--actor-decoding json" in remark
    assert note in (tmp_path / "run" / "run.log").read_text(encoding="utf-8")
    assert not any(line.startswith("The first actor invalid") for line in remarks(run.result))


def test_a_weak_model_is_not_remarked_on(tmp_path: Path) -> None:
    run, notes = play(tmp_path, "Action: fly", "Action: fly", "Action: step north", "Action: step n", "Action: eat")
    assert notes == []
    assert not any("available action" in line for line in remarks(run.result))
    assert run.result.host.failure_words == {}

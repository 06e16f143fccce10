"""Controls on real MiniHack: what is played for them, and how their results say what they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import ictbench
from ictbench.results.remarks import remarks
from ictbench.results.rows import EpisodeRow

if TYPE_CHECKING:
    from pathlib import Path

OPTIONS: dict[str, Any] = {
    "env": "minihack",
    "families": "read",
    "loops": 1,
    "turns": 3,
    "batch_size": 2,
    "selection_size": 3,
    "test_size": 4,
    "executor": "inline",
}


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> ictbench.Run:
    return ictbench.run(**OPTIONS, out=tmp_path_factory.mktemp("rules") / "run")


def played(run: ictbench.Run) -> list[tuple[str, ...]]:
    (loop,) = run.result.families[0].loops
    return [batch.tasks for batch in loop.batches]


def test_shuffled_learns_from_another_family_and_is_scored_on_its_own(plain: ictbench.Run, tmp_path: Path) -> None:
    found = ictbench.run(**OPTIONS, reflector="shuffled:rules", out=tmp_path / "run")
    other = ictbench.run(**OPTIONS | {"families": "puton"}, out=tmp_path / "other")
    assert played(found) == played(other)
    (loop,), (own,) = found.result.families[0].loops, plain.result.families[0].loops
    assert (loop.selection_tasks, loop.test_tasks) == (own.selection_tasks, own.test_tasks)
    # Each batch was played under the loop's own prompt of that turn.
    assert set(found.episode_keys("puton-")) == {
        f"{task}@{prompt.digest}"
        for prompt, batch in zip(loop.prompts, loop.batches, strict=False)
        for task in batch.tasks
    }
    assert found.result.control == "it learns from another family's episodes"
    arm = ictbench.compare(found.result, plain.result).arms[0]
    assert arm.over == {"shuffled": arm.means[0].difference}


def test_reflexion_tries_the_same_tasks_in_every_turn(plain: ictbench.Run, tmp_path: Path) -> None:
    found = ictbench.run(**OPTIONS, reflector="reflexion:rules", out=tmp_path / "run")
    first = played(plain)[0]
    assert played(found) == [first] * 3
    assert found.result.control == "it tries the same tasks in every turn, which is another protocol"
    tried = [row for row in found.rows("episodes") if isinstance(row, EpisodeRow) and row.task in first]
    assert sum(len(row.uses) for row in tried) == 3 * 2


def test_a_control_is_never_ranked_and_says_why(plain: ictbench.Run) -> None:
    ranked = plain.result.model_copy(update={"ranked": True, "deviations": (), "profile": "lite"})
    control = ranked.model_copy(update={"ranked": False, "control": "it cheats"})
    assert "The reflector is a control, never ranked: it cheats." in list(remarks(control))
    assert not any(line.startswith("Not for ranking") for line in remarks(control))
    assert plain.result.control == ""

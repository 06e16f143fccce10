"""Runs that start with another prompt than the suite's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from buggy_plugins import suite

import ictbench
from ictbench.errors import ConfigError, ResultError, RunFolderError

if TYPE_CHECKING:
    from pathlib import Path

SIZES: dict[str, Any] = {"turns": 1, "batch_size": 2, "loops": 3, "selection_size": 2, "test_size": 3}


def play(folder: Path, name: str, **options: Any) -> ictbench.Run:
    return ictbench.run(
        suite=suite(folder, "flawed_envs:Cellar"),
        out=folder / name,
        actor="random",
        reflector="watching_reflector:WatchingReflector",
        executor="inline",
        **SIZES,
        **options,
    )


def test_loops_start_with_the_prompt_of_a_file_and_the_run_is_labelled(tmp_path: Path) -> None:
    file = tmp_path / "start.txt"
    file.write_text("Try the red door first.\n", encoding="utf-8")
    run = play(tmp_path, "other", start_prompt=str(file))
    result = run.result
    prompts = {loop.prompts[0].text for loop in result.families[0].loops}
    assert prompts == {"Try the red door first."}
    digest = result.families[0].loops[0].prompts[0].digest
    assert f"start prompt {digest} of doors instead of the suite's own" in result.deviations
    assert not result.ranked
    assert run.current_result() == result
    verification = ictbench.verify(run, suite=suite(tmp_path, "flawed_envs:Cellar"), executor="inline")
    assert verification.passed, verification.checks
    # Its start is a part of the run's identity, and of what two runs must share to be compared.
    with pytest.raises(RunFolderError, match="another configuration: start_prompts is"):
        play(tmp_path, "other")
    with pytest.raises(ResultError, match=r"prompt\[0\]"):
        ictbench.compare(run, play(tmp_path, "own"))


def test_a_forged_start_that_is_not_stated_fails_verification(tmp_path: Path) -> None:
    file = tmp_path / "start.txt"
    file.write_text("Try the red door first.", encoding="utf-8")
    run = play(tmp_path, "other", start_prompt=str(file))
    result = run.result.model_copy(update={"deviations": ()})
    (run.folder / "result.json").write_text(result.to_json(), encoding="utf-8")
    verification = ictbench.verify(run.folder, suite=suite(tmp_path, "flawed_envs:Cellar"), executor="inline")
    (prompts,) = [check for check in verification.checks if check.verdict == "failed" and "prompt[0]" in check.detail]
    assert "is not the suite's own" in prompts.detail


def test_loops_start_with_the_best_prompt_of_another_run(tmp_path: Path) -> None:
    first = play(tmp_path, "first")
    loops = first.result.families[0].loops
    best = max(loops, key=lambda loop: loop.selection[loop.best].count("1"))
    start = best.prompts[best.best].text
    second = play(tmp_path, "second", start_prompt=str(first.folder))
    assert {loop.prompts[0].text for loop in second.result.families[0].loops} == {start}


@pytest.mark.parametrize(
    ("text", "message"),
    [(None, "cannot be read"), ("  \n", "is an empty file"), ("x" * 9000, "has 9,000 bytes, of at most 8,000")],
)
def test_an_unusable_prompt_is_refused_before_anything_is_played(
    tmp_path: Path, text: str | None, message: str
) -> None:
    file = tmp_path / "start.txt"
    if text is not None:
        file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=message):
        play(tmp_path, "run", start_prompt=str(file))
    assert not (tmp_path / "run").exists()


def test_an_empty_path_is_not_the_current_folder(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--start-prompt is empty"):
        play(tmp_path, "run", start_prompt="")


def test_a_run_without_a_result_or_a_family_is_refused(tmp_path: Path) -> None:
    first = play(tmp_path, "first")
    with pytest.raises(ConfigError, match="has no finished loop of eat"):
        ictbench.dry_run(
            env="minihack", families="eat", reflector="none", actor="rules", start_prompt=str(first.folder)
        )
    (first.folder / "result.json").unlink()
    with pytest.raises(ConfigError, match="has no result yet"):
        play(tmp_path, "second", start_prompt=str(first.folder))

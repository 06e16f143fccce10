"""Runs over environments that a suite file names by their address, from the first check to verification."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from external_suites import external_content

import ictbench
from ictbench.errors import ConfigError
from ictbench.results.notes import remarks
from ictbench.submissions.eligibility import ineligibility

if TYPE_CHECKING:
    from pathlib import Path

LISTED = {"actions_from": "commands", "solved_from": "won"}


def suite_file(folder: Path, env: str, **changes: Any) -> Path:
    """Write a suite; JSON is YAML."""
    content = external_content(env, interface=LISTED) | changes
    path = folder / "external-v1.yaml"
    path.write_text(json.dumps(content), "utf-8")
    return path


def test_a_gymnasium_environment_is_played_and_verified_in_other_processes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", "tests/helpers")
    file = suite_file(tmp_path, "gym:text_gym:Doors-v0")
    run = ictbench.run(suite=str(file), reflector="rules", workers=1, out=tmp_path / "run")
    assert run.result.complete
    assert set(run.result.versions) == {"gymnasium", "text_gym"}
    assert {row.model_dump()["end"] for row in run.rows("episodes")} <= {"solved", "step_limit"}
    assert ictbench.verify(run, suite=file, workers=1).passed


def test_what_is_not_deterministic_is_refused_unless_the_suite_says_so_and_then_never_verified(tmp_path: Path) -> None:
    options: dict[str, Any] = {"reflector": "rules", "executor": "inline", "out": tmp_path / "run"}
    with pytest.raises(ConfigError, match=r"gym:text_gym:Dice-v0 is not deterministic: task .*`deterministic: false`"):
        ictbench.run(suite=str(suite_file(tmp_path, "gym:text_gym:Dice-v0")), **options)
    file = suite_file(tmp_path, "gym:text_gym:Dice-v0", deterministic=False)
    run = ictbench.run(suite=str(file), **options)
    assert run.result.complete
    assert not run.result.suite.deterministic
    assert any(remark.startswith("Not verifiable: ") for remark in remarks(run.result))
    with pytest.raises(ConfigError, match=r"suite external-v1 is not verifiable: .*`deterministic: false`"):
        ictbench.verify(run, suite=file)


def test_a_board_refuses_runs_that_cannot_be_replayed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = suite_file(tmp_path, "gym:text_gym:Dice-v0", deterministic=False)
    run = ictbench.run(suite=str(file), reflector="rules", executor="inline", out=tmp_path / "run")
    monkeypatch.setattr("ictbench.suites.load.shipped_suites", lambda: {"external-v1": file})
    monkeypatch.setattr("ictbench.submissions.eligibility.shipped_suites", lambda: {"external-v1": file})
    reasons = [*ineligibility(run.result, unranked=True)]
    assert reasons == [
        "suite external-v1 is not verifiable: its environment is not deterministic, so a board cannot replay its runs"
    ]

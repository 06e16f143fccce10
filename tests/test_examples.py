"""The environments in examples/ keep the contract and run the protocol."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ictbench import load_run, load_suite
from ictbench.plugins import resolve
from ictbench.testing import check_env

EXAMPLES = Path(__file__).parents[1] / "examples"
ENVS = ("minigrid_text",)
MAX_LINES = 120


def run(name: str, out: Path, *arguments: str) -> Any:
    """Run the command of the example with small sizes and return the run."""
    sizes = ["--loops", "1", "--turns", "1", "--batch-size", "1", "--selection-size", "1", "--test-size", "1"]
    ictbench("run", "--suite", str(EXAMPLES / f"{name}.yaml"), "--out", str(out), *sizes, *arguments)
    return load_run(out)


def ictbench(*arguments: str) -> None:
    done = subprocess.run(
        [f"{Path(sys.executable).parent}/ictbench", *arguments],
        env={**os.environ, "PYTHONPATH": str(EXAMPLES)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", ENVS)
def test_an_example_is_short(name: str) -> None:
    lines = sum(len((EXAMPLES / f"{name}{end}").read_text("utf-8").splitlines()) for end in (".py", ".yaml"))
    assert lines < MAX_LINES


@pytest.mark.parametrize("name", ENVS)
def test_an_example_keeps_the_contract(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(EXAMPLES)
    suite = load_suite(EXAMPLES / f"{name}.yaml")
    family = suite.select_families(["held-out"])[0]
    check_env(
        resolve("env", suite.env),
        [*suite.scoring_tasks("selection", family, 0, 1), *suite.scoring_tasks("test", family, 0, 1)],
    )


@pytest.mark.parametrize("name", ENVS)
def test_an_example_runs_the_protocol_with_the_scripted_pair(name: str, tmp_path: Path) -> None:
    result = run(name, tmp_path / "run", "--reflector", "rules", "--families", "held-out").result
    assert result.complete
    assert result.suite.name == load_suite(EXAMPLES / f"{name}.yaml").name
    assert set(result.versions) > {"minigrid"}
    ictbench("verify", str(tmp_path / "run"), "--suite", str(EXAMPLES / f"{name}.yaml"))


@pytest.mark.parametrize("name", ENVS)
def test_the_solver_solves_every_task_of_an_example(name: str, tmp_path: Path) -> None:
    played = run(name, tmp_path / "run", "--actor", "solver", "--reflector", "none", "--families", "held-out")
    assert {row.end for row in played.rows("episodes")} == {"solved"}

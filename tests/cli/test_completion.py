"""Completion of values in a shell."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

MAIN = "from ictbench.cli.app import main; main()"


def complete(line: str, folder: Path) -> set[str]:
    """Return what bash offers at the end of a line."""
    words = line.split(" ")
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.argv = ['ictbench']; {MAIN}"],
        cwd=folder,
        env={
            **os.environ,
            "_ICTBENCH_COMPLETE": "complete_bash",
            "COMP_WORDS": line,
            "COMP_CWORD": str(len(words) - 1),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    return set(done.stdout.split())


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("ictbench comp", {"compare"}),
        ("ictbench run --env mini", {"minihack"}),
        ("ictbench run --suite minihack", {"minihack-v1", "minihack-paper-v1", "minihack-stream-v1"}),
        ("ictbench run --suite minihack-v1 --families z", {"zap"}),
        ("ictbench run --suite minihack-v1 --families zap,ro", {"zap,room-dark", "zap,room-random"}),
        ("ictbench run --reflector ope", {"openai/"}),
        ("ictbench run --actor sol", {"solver"}),
        ("ictbench run --profile l", {"lite"}),
        ("ictbench tasks show alf", {"alfworld-v1", "alfworld-procgen-v1", "alfworld-paper-v1"}),
        ("ictbench show ", {"runs/mine", "runs/more/"}),
        ("ictbench show runs/more/", {"runs/more/two"}),
        ("ictbench check runs/mine --against runs/mi", {"runs/mine"}),
    ],
)
def test_values_are_completed(line: str, offered: set[str], tmp_path: Path) -> None:
    for run in ("runs/mine", "runs/more/two"):
        (tmp_path / run).mkdir(parents=True)
        (tmp_path / run / "run.json").touch()
    assert complete(line, tmp_path) == offered

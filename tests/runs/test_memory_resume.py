"""Memory runs in their own processes that are killed or interrupted, and continued in the same folder."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

from apart import comparable, complete, played, reached, start
from buggy_plugins import suite
from recalled_rules import RECALLED_RULES
from watching import wait_for_the_end_of, workers_of

if TYPE_CHECKING:
    from collections.abc import Mapping

OPTIONS = ["--env", "minihack", "--families", "eat", "--turns", "2", "--batch-size", "2", "--loops", "2"]
OPTIONS += ["--selection-size", "2", "--test-size", "3", "--reflector", RECALLED_RULES, "--actor", "rules", "--audit"]
HELPERS = Path(__file__).parent.parent / "helpers"


def environment() -> Mapping[str, str]:
    return {**os.environ, "PYTHONPATH": str(HELPERS)}


def memories(folder: Path) -> bytes:
    return (folder / "memories.jsonl.gz").read_bytes()


def test_a_killed_memory_run_ends_in_the_same_result(tmp_path: Path) -> None:
    complete(tmp_path / "whole", OPTIONS, environment())
    total, folder = len(played(tmp_path / "whole")), tmp_path / "killed"
    dice = random.Random(24)
    recorded: dict[str, tuple[float, float]] = {}
    kills = 0
    for moment in (1, total // 2, total - 2):
        with start("run", *OPTIONS, "--quiet", "--out", str(folder), env=environment()) as process:
            if reached(process, folder, moment):
                time.sleep(dice.uniform(0, 0.05))
                workers = workers_of(process.pid)
                process.kill()
                kills += 1
                wait_for_the_end_of(workers)
        now = played(folder)
        assert {key: now[key] for key in recorded} == recorded, "a finished episode was lost or played again"
        recorded = now
    assert kills >= 2
    complete(folder, OPTIONS, environment())
    assert len(played(folder)) == total
    assert comparable(folder) == comparable(tmp_path / "whole")
    assert memories(folder) == memories(tmp_path / "whole")


def test_an_interrupt_does_not_wait_for_a_recall_that_never_ends(tmp_path: Path) -> None:
    options = ["--suite", suite(tmp_path, "flawed_envs:Cellar"), "--turns", "2", "--batch-size", "2", "--loops", "1"]
    options += ["--selection-size", "2", "--test-size", "3", "--actor", "random", "--executor", "inline"]
    options += ["--reflector", "flawed_learners:Endless"]
    # prompt[0] is played on all tasks and the first batch is among them; the rest waits for recall.
    folder = tmp_path / "run"
    with start("run", *options, "--out", str(folder), env=environment()) as process:
        assert reached(process, folder, 2 + 2 + 3)
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        clock = time.monotonic()
        _, errors = process.communicate(timeout=30)
    assert time.monotonic() - clock < 4, "it waited for the call"
    assert process.returncode == 130
    assert "everything finished is recorded" in errors.splitlines()[-1]

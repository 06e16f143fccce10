"""Runs in their own processes that are killed or interrupted, and continued in the same folder."""

from __future__ import annotations

import random
import shlex
import signal
import subprocess
import time
from typing import TYPE_CHECKING

import pytest
from apart import OPTIONS, command, comparable, complete, played, reached, start, stop_when
from watching import wait_for_the_end_of, workers_of

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("undisturbed") / "run"
    complete(folder, OPTIONS)
    return folder


def test_a_run_killed_at_ten_moments_ends_in_the_same_result(undisturbed: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    total = len(played(undisturbed))
    recorded: dict[str, tuple[float, float]] = {}
    dice = random.Random(20)
    # From the start to the end, when the files are written.
    moments = [0, *sorted(dice.sample(range(1, total), 8)), total]
    kills = 0
    for moment in moments:
        with start("run", *OPTIONS, "--quiet", "--out", str(folder)) as process:
            if reached(process, folder, moment):
                time.sleep(dice.uniform(0, 0.05))
                workers = workers_of(process.pid)
                process.kill()
                kills += 1
                wait_for_the_end_of(workers)
        now = played(folder)
        assert {key: now[key] for key in recorded} == recorded, "a finished episode was lost or played again"
        recorded = now
    assert kills >= 8
    complete(folder, OPTIONS)
    now = played(folder)
    assert {key: now[key] for key in recorded} == recorded
    assert len(now) == total
    assert comparable(folder) == comparable(undisturbed)


def test_an_interrupt_ends_cleanly_and_prints_how_to_continue(undisturbed: Path, tmp_path: Path) -> None:
    folder = tmp_path / "a run"
    with start("run", *OPTIONS, "--out", str(folder)) as process:
        assert stop_when(process, folder, 5, signal.SIGINT)
        output, errors = process.communicate()
    assert (process.returncode, output) == (130, "")
    *progress, line = errors.splitlines()
    assert all(shown.startswith("episodes ") for shown in progress)
    assert line.startswith(f"ictbench: stopped; everything finished is recorded in {folder}. Continue with: ictbench ")
    recorded = played(folder)
    assert 5 <= len(recorded) < len(played(undisturbed))
    # The printed command finishes the run.
    words = shlex.split(line.partition("Continue with: ictbench ")[2])
    done = subprocess.run(command(*words, "--quiet"), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert {key: played(folder)[key] for key in recorded} == recorded
    assert comparable(folder) == comparable(undisturbed)


def test_an_interrupted_run_without_out_prints_its_folder(tmp_path: Path) -> None:
    process = subprocess.Popen(
        command("run", *OPTIONS, "--quiet"),
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    with process:
        while process.poll() is None and not list(tmp_path.glob("runs/*/journal.sqlite")):
            time.sleep(0.004)
        (folder,) = tmp_path.glob("runs/*")
        assert stop_when(process, folder, 3, signal.SIGINT)
        _, errors = process.communicate()
    assert process.returncode == 130
    (line,) = errors.splitlines()
    assert line.endswith(shlex.join(["run", *OPTIONS, "--quiet", "--out", str(folder.relative_to(tmp_path))]))

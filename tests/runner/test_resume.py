"""Runs that are killed or interrupted, as processes of their own, and continued with the same folder."""

from __future__ import annotations

import contextlib
import gzip
import json
import shlex
import signal
import sqlite3
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

MAIN = "from ictbench.cli import main; main()"
OPTIONS = ["--env", "minihack", "--families", "read", "--turns", "3", "--batch-size", "2", "--loops", "3"]
OPTIONS += ["--selection-size", "4", "--test-size", "6"]


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-W", "error", "-c", MAIN, *arguments]


def comparable(folder: Path) -> tuple[dict[str, Any], list[str], bytes]:
    result = json.loads((folder / "result.json").read_bytes())
    result.pop("host")
    episodes = gzip.decompress((folder / "episodes.jsonl.gz").read_bytes()).decode().splitlines()
    return result, episodes, (folder / "run.json").read_bytes()


def played(folder: Path) -> dict[str, tuple[float, float]]:
    """What the journal of a run, perhaps one in progress, holds: when each episode started, and its seconds."""
    path = folder / "journal.sqlite"
    if not path.exists():
        return {}
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)) as journal:
        try:
            rows = journal.execute("SELECT key, started, seconds FROM episodes").fetchall()
        except sqlite3.OperationalError:  # not made yet
            return {}
    return {key: (started, seconds) for key, started, seconds in rows}


def stop_when(process: subprocess.Popen[str], folder: Path, count: int, how: signal.Signals) -> bool:
    """Send a signal as soon as the journal holds `count` episodes; whether the run was still going."""
    while process.poll() is None:
        if len(played(folder)) >= count:
            process.send_signal(how)
            return True
        time.sleep(0.004)
    return False


def start(*arguments: str) -> subprocess.Popen[str]:
    # As from a terminal: pytest-xdist's workers may have been started with interrupts ignored.
    return subprocess.Popen(
        command(*arguments),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("undisturbed") / "run"
    done = subprocess.run(
        command("run", *OPTIONS, "--quiet", "--out", str(folder)), capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    return folder


def test_a_run_killed_again_and_again_ends_in_the_same_result(undisturbed: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    total = len(played(undisturbed))
    recorded: dict[str, tuple[float, float]] = {}
    # From the first moment on, to the last episodes.
    moments = [0, 1, total // 4, total // 2, total * 3 // 4, total * 9 // 10]
    kills = 0
    for moment in moments:
        with start("run", *OPTIONS, "--quiet", "--out", str(folder)) as process:
            kills += stop_when(process, folder, moment, signal.SIGKILL)
        now = played(folder)
        assert {key: now[key] for key in recorded} == recorded, "a finished episode was lost or played again"
        recorded = now
    assert kills >= 5
    assert len(recorded) > 0
    assert kills == len(moments) or (folder / "result.json").exists()
    with start("run", *OPTIONS, "--quiet", "--out", str(folder)) as process:
        assert process.wait() == 0
    now = played(folder)
    assert {key: now[key] for key in recorded} == recorded
    assert len(now) == total
    assert comparable(folder) == comparable(undisturbed)


def test_an_interrupt_ends_cleanly_and_says_how_to_continue(undisturbed: Path, tmp_path: Path) -> None:
    folder = tmp_path / "a run"
    with start("run", *OPTIONS, "--out", str(folder)) as process:
        assert stop_when(process, folder, 5, signal.SIGINT)
        output, errors = process.communicate()
    assert (process.returncode, output) == (1, "")
    *progress, line = errors.splitlines()
    assert all(shown.startswith("turns ") for shown in progress)
    assert line.startswith(f"ictbench: stopped; everything finished is recorded in {folder}. Continue with: ictbench ")
    recorded = played(folder)
    assert 5 <= len(recorded) < len(played(undisturbed))
    # The command in that line, as it stands, finishes the run.
    words = shlex.split(line.partition("Continue with: ictbench ")[2])
    done = subprocess.run(command(*words, "--quiet"), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert {key: played(folder)[key] for key in recorded} == recorded
    assert comparable(folder) == comparable(undisturbed)


def test_an_interrupted_run_without_a_name_says_where_it_is(tmp_path: Path) -> None:
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
    assert process.returncode == 1
    (line,) = errors.splitlines()
    assert line.endswith(shlex.join(["run", *OPTIONS, "--quiet", "--out", str(folder.relative_to(tmp_path))]))

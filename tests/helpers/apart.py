"""Runs as processes of their own, which may be killed."""

from __future__ import annotations

import contextlib
import gzip
import json
import signal
import sqlite3
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

MAIN = "from ictbench.cli.app import main; main()"
OPTIONS = ["--env", "minihack", "--families", "read", "--turns", "3", "--batch-size", "2", "--loops", "3"]
OPTIONS += ["--selection-size", "4", "--test-size", "6"]


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-W", "error", "-c", MAIN, *arguments]


def comparable(folder: Path) -> tuple[dict[str, Any], list[str], bytes]:
    """What is equal between equal runs: the result but for `host`, every episode's record, the configuration."""
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


def reached(process: subprocess.Popen[str], folder: Path, count: int) -> bool:
    """Wait until the journal holds `count` episodes; whether the run is still going then."""
    while process.poll() is None:
        if len(played(folder)) >= count:
            return True
        time.sleep(0.004)
    return False


def stop_when(process: subprocess.Popen[str], folder: Path, count: int, how: signal.Signals) -> bool:
    """Send a signal as soon as the journal holds `count` episodes; whether the run was still going."""
    going = reached(process, folder, count)
    if going:
        process.send_signal(how)
    return going


def start(*arguments: str, env: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
    # As from a terminal: pytest-xdist's workers may have been started with interrupts ignored.
    return subprocess.Popen(
        command(*arguments),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=env,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )


def complete(folder: Path, options: list[str], env: Mapping[str, str] | None = None) -> None:
    """Begin a run, or continue it, and see it end as it should."""
    done = subprocess.run(
        command("run", *options, "--quiet", "--out", str(folder)), capture_output=True, text=True, check=False, env=env
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from apart import MAIN, OPTIONS, command, played, reached
from watching import wait_for_the_end_of, workers_of

from ictbench.testing import Latency, ScriptedServer

if TYPE_CHECKING:
    from collections.abc import Iterator

STAND_IN = Path(__file__).parents[1] / "helpers" / "stand_in_server.py"
MODEL = ["--turns", "1", "--loops", "1", "--batch-size", "1", "--selection-size", "1", "--test-size", "1"]
MODEL += ["--env", "minihack", "--families", "eat", "--workers", "1", "--reflector", "none"]


@pytest.fixture
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    return folder


@contextlib.contextmanager
def started(*arguments: str, ignored: tuple[signal.Signals, ...] = ()) -> Iterator[subprocess.Popen[str]]:
    """Start a command in a session of its own, as a service manager does."""

    def prepare() -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN if number in ignored else signal.SIG_DFL)

    with subprocess.Popen(
        command(*arguments),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=prepare,
        start_new_session=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def last_line(process: subprocess.Popen[str], seconds: float = 30) -> str:
    """Return the last line of standard error, once the process has ended."""
    _, errors = process.communicate(timeout=seconds)
    return errors.splitlines()[-1] if errors else ""


def log_of(folder: Path) -> str:
    return (folder / "run.log").read_text()


@pytest.mark.parametrize(("name", "code"), [("SIGTERM", 143), ("SIGHUP", 129)])
@pytest.mark.parametrize("repeated", [False, True])
def test_a_signal_stops_a_run_as_an_interrupt_does(
    tmp_path: Path, scratch: Path, name: str, code: int, repeated: bool
) -> None:
    folder = tmp_path / "run"
    with started("run", *OPTIONS, "--workers", "2", "--out", str(folder)) as process:
        assert reached(process, folder, 3)
        workers = workers_of(process.pid)
        assert len(list(scratch.iterdir())) == 1
        process.send_signal(signal.Signals[name])
        while repeated and process.poll() is None:
            process.send_signal(signal.Signals[name])
            time.sleep(0.02)
        line = last_line(process)
    assert process.returncode == code
    assert line.startswith(f"ictbench: stopped by {name}; everything finished is recorded in {folder}. Continue with: ")
    assert f"session stops: stopped by {name}" in log_of(folder)
    assert list(scratch.iterdir()) == []
    wait_for_the_end_of(workers)
    recorded = played(folder)
    words = shlex.split(line.partition("Continue with: ictbench ")[2])
    done = subprocess.run(command(*words, "--quiet"), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert {key: played(folder)[key] for key in recorded} == recorded


def test_a_signal_to_all_processes_of_a_job_stops_the_run(tmp_path: Path, scratch: Path) -> None:
    folder = tmp_path / "run"
    with started("run", *OPTIONS, "--workers", "2", "--out", str(folder)) as process:
        assert reached(process, folder, 3)
        workers = workers_of(process.pid)
        for pid in (*workers, process.pid):
            os.kill(pid, signal.SIGTERM)
        assert "Continue with: " in last_line(process)
    assert process.returncode == 143
    assert "is lost" not in log_of(folder)
    assert list(scratch.iterdir()) == []
    wait_for_the_end_of(workers)


def test_a_hung_worker_does_not_delay_the_end(tmp_path: Path, scratch: Path) -> None:
    folder = tmp_path / "run"
    with started("run", *OPTIONS, "--workers", "2", "--out", str(folder)) as process:
        assert reached(process, folder, 3)
        workers = workers_of(process.pid)
        os.kill(workers[0], signal.SIGSTOP)
        process.send_signal(signal.SIGTERM)
        # Docker kills after ten seconds.
        assert "Continue with: " in last_line(process, 9)
    assert process.returncode == 143
    assert list(scratch.iterdir()) == []
    wait_for_the_end_of(workers)


@pytest.mark.parametrize("seconds", [0.1, 0.3, 0.6, 1.0, 1.5, 2.0])
def test_a_signal_during_the_start_leaves_nothing(tmp_path: Path, scratch: Path, seconds: float) -> None:
    with started("run", *OPTIONS, "--workers", "1", "--out", str(tmp_path / "run")) as process:
        time.sleep(seconds)
        process.send_signal(signal.SIGTERM)
        line = last_line(process)
    # Before the interpreter reaches the command, the signal has its usual effect.
    assert process.returncode == 143 or (process.returncode == -signal.SIGTERM and not line)
    assert "Traceback" not in line
    assert list(scratch.iterdir()) == []


def test_a_hangup_that_is_ignored_at_the_start_stays_ignored(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with started("run", *OPTIONS, "--quiet", "--out", str(folder), ignored=(signal.SIGHUP,)) as process:
        assert reached(process, folder, 3)
        process.send_signal(signal.SIGHUP)
        assert last_line(process, 120) == ""
    assert process.returncode == 0


def test_a_signal_while_a_model_does_not_answer(tmp_path: Path, scratch: Path) -> None:
    with ScriptedServer(["late"], latency=Latency.constant(60)) as server:
        arguments = ["--actor", "openai/m", "--actor-base-url", server.url, "--out", str(tmp_path / "run")]
        with started("run", *MODEL, *arguments) as process:
            while not server.requests and process.poll() is None:
                time.sleep(0.01)
            process.send_signal(signal.SIGTERM)
            assert "Continue with: " in last_line(process, 9)
    assert process.returncode == 143
    assert list(scratch.iterdir()) == []


@pytest.mark.parametrize("loading", [True, False])
def test_a_signal_stops_a_launched_server(
    tmp_path: Path, scratch: Path, monkeypatch: pytest.MonkeyPatch, loading: bool
) -> None:
    program = tmp_path / "bin" / "vllm"
    program.parent.mkdir()
    child = tmp_path / "child"
    extra = f'--after "{tmp_path / "never"}"' if loading else "--stubborn"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -I "{STAND_IN}" "$@" --child "{child}" {extra}\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    folder = tmp_path / "run"
    with started("run", *MODEL, "--actor", "vllm/m", "--max-steps", "500", "--out", str(folder)) as process:
        while not child.exists() and process.poll() is None:
            time.sleep(0.01)
        time.sleep(0.5)
        process.send_signal(signal.SIGTERM)
        assert "Continue with: " in last_line(process, 15)
    assert process.returncode == 143
    wait_for_the_end_of([int(child.read_text())])
    assert list(scratch.iterdir()) == []


def test_the_first_process_of_a_container_stops_too(tmp_path: Path, scratch: Path) -> None:
    unshare = ["unshare", "--pid", "--fork", "--kill-child"]
    if not shutil.which("unshare") or subprocess.run([*unshare, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this machine does not allow process namespaces")
    folder = tmp_path / "run"
    arguments = [*unshare, sys.executable, "-c", MAIN, "run", *OPTIONS, "--workers", "1", "--out", str(folder)]
    with subprocess.Popen(arguments, stderr=subprocess.PIPE, text=True) as process:
        assert reached(process, folder, 3)
        first = int(Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text())
        os.kill(first, signal.SIGTERM)
        assert "stopped by SIGTERM" in last_line(process)
    assert process.returncode == 143
    assert list(scratch.iterdir()) == []


def test_the_folders_of_a_killed_run_are_removed_by_the_next(tmp_path: Path, scratch: Path) -> None:
    with started("run", *OPTIONS, "--workers", "1", "--out", str(tmp_path / "killed")) as process:
        assert reached(process, tmp_path / "killed", 1)
        process.kill()
    (left,) = scratch.iterdir()
    with started("run", *OPTIONS, "--workers", "1", "--out", str(tmp_path / "next")) as process:
        assert reached(process, tmp_path / "next", 1)
        assert not left.exists()
        process.send_signal(signal.SIGTERM)
        last_line(process)
    assert list(scratch.iterdir()) == []


def collecting(folder: Path) -> list[str]:
    return ["train", "collect", "--families", "eat", "--turns", "3", "--loops", "4", "--out", str(folder)]


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_a_signal_stops_a_collection(tmp_path: Path, scratch: Path, name: str) -> None:
    pytest.importorskip("datasets")
    folder = tmp_path / "states"
    with started(*collecting(folder)) as process:
        assert reached(process, folder, 1)
        process.send_signal(signal.Signals[name])
        assert f"stopped by {name}; everything finished is recorded in {folder}" in last_line(process)
    assert process.returncode == 128 + signal.Signals[name]
    assert list(scratch.iterdir()) == []


def test_a_signal_stops_a_replay(tmp_path: Path, scratch: Path) -> None:
    folder = tmp_path / "run"
    done = subprocess.run(
        command("run", *OPTIONS, "--quiet", "--out", str(folder)), capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    with started("verify", str(folder), "--all", "--workers", "1") as process:
        while not list(scratch.iterdir()) and process.poll() is None:
            time.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        line: Any = last_line(process)
    assert process.returncode == 143
    assert line.startswith("ictbench: stopped by SIGTERM")
    assert list(scratch.iterdir()) == []


def test_an_interrupt_during_the_imports_leaves_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "typer.py").write_text("raise KeyboardInterrupt", encoding="utf-8")
    command = [sys.executable, "-c", "from ictbench.__main__ import main; main()"]
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        command, env={**os.environ, "PYTHONPATH": path}, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")

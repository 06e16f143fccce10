"""Tests of `ictbench run` with a real vLLM that dies, or that is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from models_real.vllm_server import SERVER_ARGS, alive, descendants, missing_instructions, set_environment, spec

from ictbench.results.result_file import read_result

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.skipif(missing_instructions() is not None, reason=str(missing_instructions()))

ICTBENCH = str(Path(sys.executable).parent / "ictbench")
SECONDS = 900.0
"""Time for a run; on an idle machine it takes less than a minute."""


@pytest.fixture(autouse=True)
def _environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    set_environment(monkeypatch)
    monkeypatch.setenv("TMPDIR", str(tmp_path))


def start(folder: Path) -> subprocess.Popen[str]:
    command = [ICTBENCH, "run", "--out", str(folder), "--env", "minihack", "--families", "eat", "--reflector", "none"]
    command += ["--actor", spec().name, "--actor-model-options", f"server_args={SERVER_ARGS}"]
    command += ["--actor-decoding", "grammar", "--executor", "inline", "--outage-pause", "1", "--max-connections", "2"]
    for size, number in (("turns", 1), ("loops", 1), ("selection-size", 2), ("test-size", 2), ("max-steps", 6)):
        command += [f"--{size}", str(number)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_for(condition: Callable[[], object], run: subprocess.Popen[str], seconds: float = SECONDS) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert run.poll() is None, run.communicate()
        assert time.monotonic() < end
        time.sleep(0.1)


def processes_named(name: str, run: subprocess.Popen[str]) -> Iterator[int]:
    return (pid for pid, command in descendants(run.pid).items() if name in command)


def test_a_killed_engine_stops_the_run_and_the_same_command_continues_it(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    run = start(folder)
    wait_for(lambda: "is ready after" in (folder / "run.log").read_text() if (folder / "run.log").exists() else "", run)
    processes = descendants(run.pid)
    os.kill(next(processes_named("EngineCore", run)), signal.SIGKILL)
    out, err = run.communicate(timeout=SECONDS)
    assert run.returncode == 1, out + err
    assert "starting the server of vllm/" in err
    assert "has exited" in err, err
    # The engine dies before or just after the first episode, and the last line says which.
    assert "Continue with" in err or "Nothing was played; the same command starts again" in err, err
    assert not alive(processes)

    again = start(folder)
    out, err = again.communicate(timeout=SECONDS)
    assert again.returncode == 0, out + err
    result = read_result(folder / "result.json")
    assert result.complete
    assert result.families[0].behaviour
    assert not result.families[0].behaviour.failed


def test_a_killed_run_leaves_no_server_behind(tmp_path: Path) -> None:
    run = start(tmp_path / "run")
    wait_for(lambda: any(processes_named("EngineCore", run)), run)
    processes = descendants(run.pid)
    run.kill()
    run.communicate()
    end = time.monotonic() + 60.0
    while alive(processes) and time.monotonic() < end:
        time.sleep(0.1)
    assert not alive(processes)

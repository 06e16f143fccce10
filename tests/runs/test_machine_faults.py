"""Machine faults during runs in their own processes: continued, each run ends in the same result."""

from __future__ import annotations

import importlib.util
import os
import random
import resource
import signal
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml
from apart import OPTIONS, comparable, complete, played, reached, start
from watching import workers_of

from ictbench import load_run

if TYPE_CHECKING:
    from collections.abc import Iterator

DAY = 86_400


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("undisturbed") / "run"
    complete(folder, OPTIONS)
    return folder


def run_in(folder: Path) -> list[str]:
    return ["run", *OPTIONS, "--quiet", "--out", str(folder)]


def error_line(process: subprocess.Popen[str], *codes: int) -> str:
    """Wait for a run that must stop with one of the exit codes, and return its one line of output."""
    output, errors = process.communicate(timeout=120)
    assert process.returncode in codes, errors
    assert output == ""
    line, *more = errors.splitlines()
    assert not more, errors
    assert line.startswith("ictbench: ")
    return line


def test_workers_killed_at_random_moments(undisturbed: Path, tmp_path: Path) -> None:
    folder, dice, kills = tmp_path / "run", random.Random(5), 0
    with start(*run_in(folder), "--workers", "3") as process:
        while process.poll() is None:
            if kills < 12 and (workers := workers_of(process.pid)):
                # It may have ended in the meantime.
                try:
                    os.kill(dice.choice(workers), signal.SIGKILL)
                except ProcessLookupError:
                    continue
                kills += 1
            time.sleep(dice.uniform(0.05, 0.4))
        _, errors = process.communicate()
    assert kills >= 4
    # An episode that lost too many workers is owed, and the output says so.
    if process.returncode:
        assert "owed" in errors or "no worker can be started" in errors, errors
    recorded = played(folder)
    complete(folder, OPTIONS)
    assert {key: played(folder)[key] for key in recorded} == recorded
    assert comparable(folder) == comparable(undisturbed)


@contextmanager
def small_disk(path: Path, size: str) -> Iterator[None]:
    """Mount a file system of this size."""
    path.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", path], capture_output=True, check=False
    )
    if made.returncode:
        pytest.skip("file systems cannot be mounted here")
    try:
        yield
    finally:
        subprocess.run(["umount", path], check=True)


def test_a_full_disk_stops_the_run_with_one_line_and_free_space_lets_it_continue(
    undisturbed: Path, tmp_path: Path
) -> None:
    disk = tmp_path / "disk"
    with small_disk(disk, "200k"):
        with start(*run_in(disk / "run")) as process:
            line = error_line(process, 1)
        assert f"journal {disk}/run/journal.sqlite cannot be written (database or disk is full)" in line
        assert "free some space. Continue with: ictbench run" in line
        recorded = played(disk / "run")
        assert 0 < len(recorded) < len(played(undisturbed))
        # On the full disk, the run can be read but not continued.
        assert load_run(disk / "run").episode_keys() == sorted(recorded)
        with start(*run_in(disk / "run")) as process:
            assert "database or disk is full" in error_line(process, 1, 2)
        subprocess.run(["mount", "-o", "remount,size=64m", disk], check=True)
        complete(disk / "run", OPTIONS)
        assert {key: played(disk / "run")[key] for key in recorded} == recorded
        assert comparable(disk / "run") == comparable(undisturbed)


def test_a_limit_on_the_size_of_files_stops_the_run_with_one_line(undisturbed: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"

    with start(*run_in(folder)) as process:
        # Only for files of the coordinator: each game writes files too.
        assert reached(process, folder, 3)
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (200_000, 200_000))
        line = error_line(process, 1)
    assert "journal.sqlite cannot be written (" in line
    recorded = played(folder)
    assert 0 < len(recorded) < len(played(undisturbed))
    complete(folder, OPTIONS)
    assert {key: played(folder)[key] for key in recorded} == recorded
    assert comparable(folder) == comparable(undisturbed)


def test_a_second_process_on_the_folder_is_refused_and_the_first_continues(undisturbed: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with start(*run_in(folder)) as first:
        assert reached(first, folder, 3)
        # Stopped, so that it does not end before the second process has started.
        first.send_signal(signal.SIGSTOP)
        try:
            with start(*run_in(folder)) as second:
                line = error_line(second, 2)
        finally:
            first.send_signal(signal.SIGCONT)
        assert f"another ictbench is writing to {folder}" in line
        assert first.communicate() == ("", "")
        assert first.returncode == 0
    assert comparable(folder) == comparable(undisturbed)


def test_a_clock_that_jumps_by_days(undisturbed: Path, tmp_path: Path) -> None:
    spec = importlib.util.find_spec("libfaketime")
    assert spec is not None
    assert spec.origin is not None
    clock, folder = tmp_path / "clock", tmp_path / "run"
    clock.write_text("+0d", encoding="utf-8")
    library = str(next(Path(spec.origin).parent.rglob("libfaketime.so.1")))
    env = {
        **os.environ,
        "LD_PRELOAD": " ".join([library, *filter(None, [os.environ.get("LD_PRELOAD")])]),
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_CACHE_DURATION": "1",
        "DONT_FAKE_MONOTONIC": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
    with start(*run_in(folder), env=env) as process:
        for count, days in ((3, 2), (8, -1)):
            assert reached(process, folder, count)
            # In one step, because the clock may be read at any moment.
            (tmp_path / "next").write_text(f"{days:+}d", encoding="utf-8")
            (tmp_path / "next").replace(clock)
            jumped = time.time() + days * DAY
            while process.poll() is None and not any(
                abs(began - jumped) < DAY / 2 for began, _ in played(folder).values()
            ):
                time.sleep(0.01)
        assert process.communicate(timeout=120) == ("", "")
    assert process.returncode == 0
    began = [started for started, _ in played(folder).values()]
    assert max(began) - min(began) > 2 * DAY
    # Durations of episodes do not depend on the wall clock.
    assert all(0 <= seconds < 120 for _, seconds in played(folder).values())
    assert 0 < load_run(folder).result.host.seconds < 120
    assert comparable(folder) == comparable(undisturbed)


HANGING = '''
"""Environment that hangs in the second step of one task, and kills its process in that of another, once each."""

import os
import pathlib
import time

from ictbench.envs.minihack.minihack_env import MiniHackEnv

NOTES = pathlib.Path(__file__).parent / "notes"


class Env(MiniHackEnv):
    def reset(self, task):
        self.seed, self.steps = task.params["seed"], 0
        return super().reset(task)

    def step(self, action):
        self.steps += 1
        if self.steps == 2 and self.seed % 5 == 0:
            try:
                (NOTES / str(self.seed)).touch(exist_ok=False)
            except FileExistsError:
                pass
            else:
                os._exit(1) if self.seed % 10 else time.sleep(3600)
        return super().step(action)
'''


def test_environments_that_hang_or_kill_their_worker(tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    (tmp_path / "unwell.py").write_text(HANGING, encoding="utf-8")
    suite = yaml.safe_load((Path(__file__).parents[2] / "tasks" / "minihack-v1.yaml").read_text(encoding="utf-8"))
    suite |= {"env": "unwell:Env", "name": "unwell-v1"}
    suite["families"] = {"read": suite["families"]["read"]}
    (tmp_path / "unwell.yaml").write_text(yaml.safe_dump(suite), encoding="utf-8")
    env = {**os.environ, "PYTHONPATH": str(tmp_path)}
    options = ["--suite", str(tmp_path / "unwell.yaml"), *OPTIONS[2:], "--loops", "1", "--env-timeout", "1.5"]
    complete(tmp_path / "ill", options, env)
    troubled = [int(path.name) for path in (tmp_path / "notes").iterdir()]
    assert any(seed % 10 for seed in troubled)
    assert any(seed % 10 == 0 for seed in troubled)
    log = (tmp_path / "ill" / "run.log").read_text("utf-8")
    assert "its environment did not answer for" in log
    assert "its process ended with exit code 1" in log
    # All faults have happened by now, so this run has none.
    complete(tmp_path / "well", options, env)
    assert " is lost" not in (tmp_path / "well" / "run.log").read_text("utf-8")
    assert comparable(tmp_path / "ill") == comparable(tmp_path / "well")

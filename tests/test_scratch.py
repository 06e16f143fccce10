from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from ictbench.scratch import PREFIX, ScratchFolder, scratch_folder, sweep

if TYPE_CHECKING:
    from pathlib import Path

OWNER = """
import sys, time
from ictbench.scratch import ScratchFolder
folder = ScratchFolder("test")
(folder.path / "game").write_text("saved")
print(folder.path, flush=True)
time.sleep(600)
"""


@pytest.fixture(autouse=True)
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return tmp_path


def test_a_folder_exists_during_the_block(scratch: Path) -> None:
    with scratch_folder("test") as folder:
        (folder / "file").write_text("x")
        assert folder.parent == scratch
        assert folder.name.startswith(f"{PREFIX}test-")
        sweep()
        assert (folder / "file").exists()
    assert list(scratch.iterdir()) == []


def test_folders_of_killed_processes_are_removed_and_those_of_running_ones_are_not(scratch: Path) -> None:
    def start() -> subprocess.Popen[str]:
        return subprocess.Popen([sys.executable, "-c", OWNER], stdout=subprocess.PIPE, text=True)

    with start() as killed, start() as running:
        for process in (killed, running):
            assert process.stdout is not None
            process.stdout.readline()
        assert len(list(scratch.iterdir())) == 2
        killed.kill()
        killed.wait()
        with scratch_folder("next"):
            assert len(list(scratch.iterdir())) == 2
        (left,) = scratch.iterdir()
        assert (left / "game").exists()
        running.send_signal(signal.SIGKILL)
    sweep()
    assert list(scratch.iterdir()) == []


def test_folders_of_others_stay(scratch: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (scratch / "target").mkdir()
    (scratch / "ictbench-mine").mkdir()
    (scratch / f"{PREFIX}file").write_text("x")
    (scratch / f"{PREFIX}link").symlink_to(scratch / "target")
    sweep()
    assert len(list(scratch.iterdir())) == 4
    (scratch / f"{PREFIX}stranger").mkdir()
    user = os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: user + 1)
    sweep()
    assert (scratch / f"{PREFIX}stranger").exists()


def test_a_folder_may_be_elsewhere(scratch: Path, tmp_path: Path) -> None:
    (tmp_path / "cache").mkdir()
    left = tmp_path / "cache" / f"{PREFIX}test-left"
    left.mkdir()
    with scratch_folder("test", tmp_path / "cache") as folder:
        assert folder.parent == tmp_path / "cache"
        assert not left.exists()
    assert list((tmp_path / "cache").iterdir()) == []


def test_many_processes_may_start_at_once(scratch: Path) -> None:
    def use(number: int) -> bool:
        folder = ScratchFolder(f"{number}")
        (folder.path / "file").write_text("x")
        sweep()
        kept = (folder.path / "file").exists()
        folder.remove()
        return kept

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(use, range(200)))
    assert list(scratch.iterdir()) == []


def test_removing_twice_and_removing_what_is_gone_are_allowed() -> None:
    folder = ScratchFolder("test")
    shutil.rmtree(folder.path)
    folder.remove()
    folder.remove()

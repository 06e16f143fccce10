from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ictbench.errors import RunFolderError
from ictbench.runs.run_folder import RunFolder, new_run_id, write_atomically

IDENTITY: dict[str, Any] = {"suite": "s", "turns": 3, "actor": {"name": "rules"}, "families": ["a"]}

HOLD = """
import sys
from pathlib import Path
from ictbench.runs.run_folder import RunFolder
with RunFolder(Path(sys.argv[1])).claim({"suite": "s"}):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_new_folder_is_created_with_its_configuration(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "deep" / "run")
    folder.claim(IDENTITY).close()
    config = folder.read_config()
    assert config["schema"] == "ictbench.run/2"
    assert IDENTITY.items() <= config.items()


def test_the_same_run_is_continued_and_the_configuration_unchanged(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    folder.claim(IDENTITY).close()
    before = folder.config.read_bytes()
    folder.claim(json.loads(json.dumps(IDENTITY))).close()
    assert folder.config.read_bytes() == before


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"turns": 4}, "turns is 3 there and 4 here"),
        ({"families": ["a", "b"]}, r'families is \["a"\] there and \["a", "b"\] here'),
        ({"actor": {"name": "react"}}, 'actor is {"name": "rules"} there'),
        ({"versions": {"nle": "2"}}, 'versions is null there and {"nle": "2"} here'),
    ],
)
def test_another_configuration_is_refused_and_the_field_named(
    tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    folder = RunFolder(tmp_path)
    folder.claim(IDENTITY).close()
    with pytest.raises(RunFolderError, match=f"{message}.*; choose another --out, or the same options"):
        folder.claim({**IDENTITY, **change})
    # The refusal releases the lock.
    folder.claim(IDENTITY).close()


def test_field_that_only_the_recorded_configuration_has_is_refused(tmp_path: Path) -> None:
    """A run in the folder of a rerun, which records the loops that it plays."""
    folder = RunFolder(tmp_path)
    folder.claim({**IDENTITY, "loop_indices": [7, 9]}).close()
    with pytest.raises(RunFolderError, match=r"loop_indices is \[7, 9\] there and null here"):
        folder.claim(IDENTITY)


@pytest.mark.parametrize("name", ["notes.txt", "result.json", ".hidden"])
def test_a_folder_with_other_files_is_refused_and_unchanged(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("mine", encoding="utf-8")
    with pytest.raises(RunFolderError, match=rf"holds other files \({name}\) and .*; choose another --out"):
        RunFolder(tmp_path).claim(IDENTITY)
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("left", [["lock"], ["lock", "run.json.part"]])
def test_a_folder_killed_before_its_configuration_was_written_is_continued(tmp_path: Path, left: list[str]) -> None:
    for name in left:
        (tmp_path / name).touch()
    RunFolder(tmp_path).claim(IDENTITY).close()


def test_an_empty_folder_is_accepted(tmp_path: Path) -> None:
    RunFolder(tmp_path).claim(IDENTITY).close()
    assert RunFolder(tmp_path).config.exists()


@pytest.mark.parametrize("below", ["file", "file/run", "file/deep/run"])
def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path, below: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RunFolderError, match=rf"{tmp_path / below} cannot be written \(.+\); choose another --out"):
        RunFolder(tmp_path / below).claim(IDENTITY)


def test_a_folder_in_use_by_another_process_is_refused(tmp_path: Path) -> None:
    command = [sys.executable, "-W", "error", "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(RunFolderError, match=f"another ictbench is writing to {tmp_path}; wait for it or choose"):
            RunFolder(tmp_path).claim({"suite": "s"})
        other.communicate("")
    RunFolder(tmp_path).claim({"suite": "s"}).close()


def test_a_killed_process_releases_the_lock(tmp_path: Path) -> None:
    command = [sys.executable, "-W", "error", "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        other.kill()
    RunFolder(tmp_path).claim({"suite": "s"}).close()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "is not the folder of a run: it has no run.json"),
        ("{", "run.json is not JSON"),
        ("[]", "is not of schema ictbench.run/2: another version"),
        ('{"schema": "ictbench.run/0"}', "is not of schema ictbench.run/2"),
    ],
)
def test_an_unreadable_configuration_is_refused(tmp_path: Path, content: str | None, message: str) -> None:
    folder = RunFolder(tmp_path)
    if content is not None:
        folder.config.write_text(content, encoding="utf-8")
        with pytest.raises(RunFolderError, match=message):
            folder.claim(IDENTITY)
    with pytest.raises(RunFolderError, match=message):
        folder.read_config()


def test_a_run_id_is_a_plain_folder_name() -> None:
    for label in ("openai/gpt-5", "file:../../etc/passwd", "my.module:Class", "rules", "x" * 300):
        name = new_run_id("minihack-v1", label)
        assert "-minihack-v1-" in name
        assert Path(name).name == name
        assert len(name) < 100


def test_runs_of_the_same_second_have_different_names() -> None:
    assert len({new_run_id("minihack-v1", "rules") for _ in range(20)}) > 15


def test_a_file_is_replaced_in_one_step(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_atomically(path, "old")
    write_atomically(path, "é")
    write_atomically(tmp_path / "other", b"\x00")
    assert path.read_bytes() == "é".encode()
    assert sorted(found.name for found in tmp_path.iterdir()) == ["file", "other"]

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from ictbench.board import finding_cache
from ictbench.board.finding_cache import FindingCache, open_cache
from ictbench.errors import UsageError
from ictbench.records import Record
from ictbench.suites import shipped_suites

if TYPE_CHECKING:
    from pathlib import Path


class Count(Record):
    count: int


class Name(Record):
    name: str


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_findings_are_found_again_under_their_key_and_kind(tmp_path: Path) -> None:
    FindingCache(tmp_path).put(Count(count=3), "a", "b")
    cache = FindingCache(tmp_path)
    assert cache.get(Count, "a", "b") == Count(count=3)
    assert (cache.get(Count, "a", "c"), cache.get(Count, "ab"), cache.get(Name, "a", "b")) == (None, None, None)


def test_nothing_is_remembered_without_a_folder() -> None:
    cache = FindingCache(None)
    cache.put(Count(count=3), "a")
    assert cache.get(Count, "a") is None


def test_other_code_finds_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    FindingCache(tmp_path).put(Count(count=3), "a")
    (stored,) = files(tmp_path)
    monkeypatch.setattr(finding_cache, "code_digest", lambda: "0" * 64)
    cache = FindingCache(tmp_path)
    assert cache.get(Count, "a") is None
    # Also if somebody moves the file to where the other code looks for it.
    other = tmp_path / f"findings-{'0' * 32}" / stored.relative_to(stored.parents[2])
    other.parent.mkdir(parents=True)
    stored.rename(other)
    assert cache.get(Count, "a") is None


@pytest.mark.parametrize("position", [0, 70, 140, -1])
def test_damaged_file_counts_as_missing(tmp_path: Path, position: int) -> None:
    cache = FindingCache(tmp_path)
    cache.put(Count(count=3), "a")
    (path,) = files(tmp_path)
    content = bytearray(path.read_bytes())
    content[position] ^= 1
    path.write_bytes(content)
    assert cache.get(Count, "a") is None
    path.write_bytes(bytes(content[: len(content) // 2]))
    assert cache.get(Count, "a") is None
    cache.put(Count(count=3), "a")
    assert cache.get(Count, "a") == Count(count=3)


def test_file_of_another_finding_and_a_link_count_as_missing(tmp_path: Path) -> None:
    cache = FindingCache(tmp_path / "cache")
    cache.put(Count(count=1), "passed")
    (passed,) = files(tmp_path)
    cache.put(Count(count=2), "forged")
    (forged,) = set(files(tmp_path)) - {passed}
    forged.write_bytes(passed.read_bytes())
    assert cache.get(Count, "forged") is None
    passed.rename(tmp_path / "elsewhere")
    passed.symlink_to(tmp_path / "elsewhere")
    assert cache.get(Count, "passed") is None


def test_finding_that_does_not_fit_its_schema_counts_as_missing(tmp_path: Path) -> None:
    cache = FindingCache(tmp_path)
    cache.put(Count(count=3), "a")
    (path,) = files(tmp_path)
    _, key, _ = path.read_bytes().split(b"\n", 2)
    for finding in (b'{"count":"3"}', b'{"count":3,"more":1}', b"3", b"\xff"):
        path.write_bytes(b"\n".join((finding_cache._digest(key, finding), key, finding)))
        assert cache.get(Count, "a") is None


def test_folder_that_others_can_write_is_refused(tmp_path: Path) -> None:
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    with pytest.raises(UsageError, match=r"can be written by others.*--cache"):
        FindingCache(tmp_path / "open")


def test_folder_in_the_checkout_of_the_boards_is_refused(tmp_path: Path) -> None:
    boards = tmp_path / "checkout" / "leaderboards"
    boards.mkdir(parents=True)
    (tmp_path / "link").symlink_to(boards)
    for folder in (boards / "cache", tmp_path / "link" / "cache"):
        with pytest.raises(UsageError, match=r"where a pull request could write it.*--cache"):
            open_cache(folder, boards)
    (tmp_path / "checkout" / ".git").mkdir()
    with pytest.raises(UsageError, match="where a pull request could write it"):
        open_cache(tmp_path / "checkout" / ".cache", boards)
    open_cache(tmp_path / "cache", boards).put(Count(count=1), "a")
    assert files(tmp_path / "cache")


def test_folder_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    cache = FindingCache(tmp_path / "file" / "cache")
    cache.put(Count(count=1), "a")
    assert cache.get(Count, "a") is None


def test_what_other_code_has_not_used_for_a_month_is_removed(tmp_path: Path) -> None:
    old, new = (f"findings-{digit * 32}" for digit in "01")
    # Somebody may name a folder that holds other things, such as --cache ~
    theirs = ["Documents", "0" * 32, "findings-of-mine"]
    for name, days in ((old, 40), (new, 10), *((name, 400) for name in theirs)):
        (tmp_path / name).mkdir()
        os.utime(tmp_path / name, (time.time() - days * 86_400,) * 2)
    FindingCache(tmp_path)
    assert not (tmp_path / old).exists()
    assert all((tmp_path / name).is_dir() for name in (new, *theirs))


@pytest.mark.parametrize("name", ["another-v1.yaml", "games.csv"])
def test_findings_depend_on_all_suites(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    tasks = tmp_path / "tasks"
    shutil.copytree(shipped_suites()["minihack-v1"].parent, tasks)
    monkeypatch.setattr(finding_cache, "shipped_suites", lambda: {"minihack-v1": tasks / "minihack-v1.yaml"})
    assert finding_cache.code_digest.__wrapped__() == finding_cache.code_digest()
    (tasks / name).write_text("name: another-v1", encoding="utf-8")
    assert finding_cache.code_digest.__wrapped__() != finding_cache.code_digest()


def test_code_digest_is_the_same_in_another_process() -> None:
    program = "from ictbench.board.finding_cache import code_digest; print(code_digest())"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == finding_cache.code_digest()

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import pytest
from small_run import small_run

from ictbench.cli.app import main

if TYPE_CHECKING:
    from pathlib import Path


class Said(NamedTuple):
    code: int
    out: str
    err: str


Ictbench = Callable[..., Said]


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Ictbench:
    def call(*arguments: str) -> Said:
        monkeypatch.setattr("sys.argv", ["ictbench", *arguments])
        with pytest.raises(SystemExit) as caught:
            main()
        code = caught.value.code
        return Said(code if isinstance(code, int) else 0, *capsys.readouterr())

    return call


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return shutil.copytree(small_run(), tmp_path / "run", ignore=shutil.ignore_patterns("journal*"))


def test_a_line_a_check_and_the_verdict(call: Ictbench, run: Path) -> None:
    said = call("verify", str(run), "--sample", "3", "--salt", "abc", "--workers", "1")
    lines = said.out.splitlines()
    assert (said.code, said.err) == (0, "")
    assert lines[0].startswith("passed  episodes file  SHA-256 ")
    assert lines[1].startswith("passed  suite          minihack-v1, digest ")
    assert lines[-3].startswith("Played again: 3 of ")
    assert lines[-3].endswith("-abc.")
    assert lines[-2:] == ["Passed.", f"Record: {run / 'verification.json'}"]
    assert json.loads((run / "verification.json").read_bytes())["passed"] is True


def test_what_fails_is_named_and_the_exit_code_is_1(call: Ictbench, run: Path, tmp_path: Path) -> None:
    lines = gzip.decompress((run / "episodes.jsonl.gz").read_bytes()).splitlines(keepends=True)
    (run / "episodes.jsonl.gz").write_bytes(gzip.compress(b"".join(lines[1:])))
    said = call("verify", str(run), "--out", str(tmp_path / "found" / "record.json"))
    assert said.code == 1
    assert "failed  episodes       eat-" in said.out
    assert said.out.splitlines()[-2:] == ["Failed.", f"Record: {tmp_path / 'found' / 'record.json'}"]
    assert not (run / "verification.json").exists()
    assert json.loads((tmp_path / "found" / "record.json").read_bytes())["passed"] is False


def test_as_json_the_record_and_nothing_else(call: Ictbench, run: Path) -> None:
    said = call("verify", str(run), "--sample", "1", "--workers", "1", "--json")
    assert said.out.encode() == (run / "verification.json").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere"], "nowhere is neither a run's folder, with run.json, nor a submission's, with submission.json"),
        (["nowhere", "--all", "--sample", "3"], "--sample 3 and --all are two things; leave one out"),
        (["nowhere", "--sample", "0"], "Invalid value for '--sample'"),
    ],
)
def test_misuse_takes_one_line_and_exit_code_2(call: Ictbench, arguments: list[str], words: str) -> None:
    said = call("verify", *arguments)
    assert (said.code, said.out, said.err.count("\n")) == (2, "", 1)
    assert words in said.err

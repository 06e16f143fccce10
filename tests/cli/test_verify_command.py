from __future__ import annotations

import gzip
import json
import shutil
from typing import TYPE_CHECKING

import pytest
from small_run import small_run

if TYPE_CHECKING:
    from pathlib import Path

    from command_line import CommandLine


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return shutil.copytree(small_run(), tmp_path / "run", ignore=shutil.ignore_patterns("journal*"))


def test_checks_and_verdict_are_printed_one_line_each(call: CommandLine, run: Path) -> None:
    completed = call("verify", str(run), "--sample", "3", "--salt", "abc", "--workers", "1")
    lines = completed.out.splitlines()
    assert (completed.code, completed.err) == (0, "")
    assert lines[0].startswith("passed  episodes file  SHA-256 ")
    assert lines[1].startswith("passed  suite          minihack-v1, digest ")
    assert lines[-3].startswith("Played again: 3 of ")
    assert lines[-3].endswith("-abc.")
    assert lines[-2:] == ["Passed.", f"Record: {run / 'verification.json'}"]
    assert json.loads((run / "verification.json").read_bytes())["passed"] is True


def test_a_failed_check_is_named_and_the_exit_code_is_1(call: CommandLine, run: Path, tmp_path: Path) -> None:
    lines = gzip.decompress((run / "episodes.jsonl.gz").read_bytes()).splitlines(keepends=True)
    (run / "episodes.jsonl.gz").write_bytes(gzip.compress(b"".join(lines[1:])))
    completed = call("verify", str(run), "--out", str(tmp_path / "found" / "record.json"))
    assert completed.code == 1
    assert "failed  episodes       eat-" in completed.out
    assert completed.out.splitlines()[-2:] == ["Failed.", f"Record: {tmp_path / 'found' / 'record.json'}"]
    assert not (run / "verification.json").exists()
    assert json.loads((tmp_path / "found" / "record.json").read_bytes())["passed"] is False


def test_json_output_is_the_record(call: CommandLine, run: Path) -> None:
    completed = call("verify", str(run), "--sample", "1", "--workers", "1", "--json")
    assert completed.out.encode() == (run / "verification.json").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere"], "nowhere is neither a run's folder, with run.json, nor a submission's, with submission.json"),
        (["nowhere", "--all", "--sample", "3"], "--sample 3 and --all are two things; leave one out"),
        (["nowhere", "--sample", "0"], "Invalid value for '--sample'"),
    ],
)
def test_misuse_is_one_line_and_exit_code_2(call: CommandLine, arguments: list[str], message: str) -> None:
    completed = call("verify", *arguments)
    assert (completed.code, completed.out, completed.err.count("\n")) == (2, "", 1)
    assert message in completed.err

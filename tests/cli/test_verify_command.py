from __future__ import annotations

import gzip
import json
import shutil
from typing import TYPE_CHECKING

import pytest
from small_run import small_run

from ictbench.rollout import InlineExecutor
from ictbench.rollout.remote.process_starter import ProcessStarter

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from command_line import CommandLine


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return shutil.copytree(small_run(), tmp_path / "run", ignore=shutil.ignore_patterns("journal*"))


def test_each_check_takes_one_line_and_the_verdict_ends_the_output(call: CommandLine, run: Path) -> None:
    completed = call("verify", str(run), "--sample", "3", "--salt", "abc", "--workers", "1")
    lines = completed.out.splitlines()
    assert (completed.code, completed.err) == (0, "")
    assert lines[0].startswith("passed  configuration  run.json and the result agree ")
    assert lines[1].startswith("passed  episodes file  SHA-256 ")
    assert lines[2].startswith("passed  suite          minihack-v1, digest ")
    assert lines[-3].startswith("Replayed 3 of ")
    assert lines[-3].endswith("-abc.")
    assert lines[-2:] == ["Passed.", f"Record: {run / 'verification.json'}"]
    assert json.loads((run / "verification.json").read_bytes())["passed"] is True


def test_failed_check_is_named_and_the_exit_code_is_1(call: CommandLine, run: Path, tmp_path: Path) -> None:
    lines = gzip.decompress((run / "episodes.jsonl.gz").read_bytes()).splitlines(keepends=True)
    (run / "episodes.jsonl.gz").write_bytes(gzip.compress(b"".join(lines[1:])))
    record = tmp_path / "records" / "record.json"
    completed = call("verify", str(run), "--record", str(record))
    assert completed.code == 1
    assert "failed  episodes       eat-" in completed.out
    assert completed.out.splitlines()[-2:] == ["Failed.", f"Record: {record}"]
    assert not (run / "verification.json").exists()
    assert json.loads(record.read_bytes())["passed"] is False


def test_json_output_is_the_record_and_nothing_else(call: CommandLine, run: Path) -> None:
    completed = call("verify", str(run), "--sample", "1", "--workers", "1", "--json")
    assert completed.out.encode() == (run / "verification.json").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "inline"), [((), False), (("--executor", "process"), False), (("--executor", "inline"), True)]
)
def test_executor_option_chooses_where_episodes_are_replayed(
    call: CommandLine, run: Path, arguments: tuple[str, ...], inline: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    used: set[str] = set()
    for kind, method in ((InlineExecutor, "play"), (ProcessStarter, "start")):
        original = getattr(kind, method)

        def note(*args: object, original: Callable[..., object] = original, name: str = kind.__name__) -> object:
            used.add(name)
            return original(*args)

        monkeypatch.setattr(kind, method, note)
    completed = call("verify", str(run), "--sample", "2", "--workers", "1", *arguments)
    assert (completed.code, completed.err) == (0, "")
    assert used == {"InlineExecutor" if inline else "ProcessStarter"}


def test_executor_may_be_an_environment_variable(call: CommandLine, run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ICTBENCH_EXECUTOR", "threads")
    completed = call("verify", str(run), "--sample", "1")
    assert completed.code == 2
    assert "threads" in completed.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere"], "nowhere does not exist; name the folder of a run or of a submission"),
        (["nowhere", "--all", "--sample", "3"], "--sample 3 and --all contradict each other; leave one out"),
        (["nowhere", "--sample", "0"], "--sample: '0' is below the minimum of 1"),
        (["nowhere", "--workers", "0"], "--workers: '0' is below the minimum of 1"),
        (["nowhere", "--env-timeout", "0"], "--env-timeout"),
        (["nowhere", "--executor", "threads"], "threads"),
    ],
)
def test_misuse_takes_one_line_and_exit_code_2(call: CommandLine, arguments: list[str], message: str) -> None:
    completed = call("verify", *arguments)
    assert (completed.code, completed.out, completed.err.count("\n")) == (2, "", 1)
    assert message in completed.err

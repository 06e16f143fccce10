from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import pytest
from small_run import small_run

from ictbench.cli.app import main
from ictbench.rollout import InlineExecutor
from ictbench.rollout.remote.process_starter import ProcessStarter

if TYPE_CHECKING:
    from pathlib import Path


class Outcome(NamedTuple):
    code: int
    out: str
    err: str


Ictbench = Callable[..., Outcome]


@pytest.fixture
def ictbench(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Ictbench:
    """Run a command in this process."""

    def ictbench(*arguments: str) -> Outcome:
        monkeypatch.setattr("sys.argv", ["ictbench", *arguments])
        with pytest.raises(SystemExit) as caught:
            main()
        code = caught.value.code
        return Outcome(code if isinstance(code, int) else 0, *capsys.readouterr())

    return ictbench


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return shutil.copytree(small_run(), tmp_path / "run", ignore=shutil.ignore_patterns("journal*"))


def test_each_check_takes_one_line_and_the_verdict_ends_the_output(ictbench: Ictbench, run: Path) -> None:
    outcome = ictbench("verify", str(run), "--sample", "3", "--salt", "abc", "--workers", "1")
    lines = outcome.out.splitlines()
    assert (outcome.code, outcome.err) == (0, "")
    assert lines[0].startswith("passed  episodes file  SHA-256 ")
    assert lines[1].startswith("passed  suite          minihack-v1, digest ")
    assert lines[-3].startswith("Replayed 3 of ")
    assert lines[-3].endswith("-abc.")
    assert lines[-2:] == ["Passed.", f"Record: {run / 'verification.json'}"]
    assert json.loads((run / "verification.json").read_bytes())["passed"] is True


def test_failed_check_is_named_and_the_exit_code_is_1(ictbench: Ictbench, run: Path, tmp_path: Path) -> None:
    lines = gzip.decompress((run / "episodes.jsonl.gz").read_bytes()).splitlines(keepends=True)
    (run / "episodes.jsonl.gz").write_bytes(gzip.compress(b"".join(lines[1:])))
    record = tmp_path / "records" / "record.json"
    outcome = ictbench("verify", str(run), "--out", str(record))
    assert outcome.code == 1
    assert "failed  episodes       eat-" in outcome.out
    assert outcome.out.splitlines()[-2:] == ["Failed.", f"Record: {record}"]
    assert not (run / "verification.json").exists()
    assert json.loads(record.read_bytes())["passed"] is False


def test_json_output_is_the_record_and_nothing_else(ictbench: Ictbench, run: Path) -> None:
    outcome = ictbench("verify", str(run), "--sample", "1", "--workers", "1", "--json")
    assert outcome.out.encode() == (run / "verification.json").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "inline"), [((), False), (("--executor", "process"), False), (("--executor", "inline"), True)]
)
def test_executor_option_chooses_where_episodes_are_replayed(
    ictbench: Ictbench, run: Path, arguments: tuple[str, ...], inline: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    used: set[str] = set()
    for kind, method in ((InlineExecutor, "play"), (ProcessStarter, "start")):
        original = getattr(kind, method)

        def note(*args: object, original: Callable[..., object] = original, name: str = kind.__name__) -> object:
            used.add(name)
            return original(*args)

        monkeypatch.setattr(kind, method, note)
    outcome = ictbench("verify", str(run), "--sample", "2", "--workers", "1", *arguments)
    assert (outcome.code, outcome.err) == (0, "")
    assert used == {"InlineExecutor" if inline else "ProcessStarter"}


def test_executor_may_be_an_environment_variable(
    ictbench: Ictbench, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ICTBENCH_EXECUTOR", "threads")
    outcome = ictbench("verify", str(run), "--sample", "1")
    assert outcome.code == 2
    assert "threads" in outcome.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere"], "nowhere is neither the folder of a run (with run.json) nor of a submission"),
        (["nowhere", "--all", "--sample", "3"], "--sample 3 and --all contradict each other; leave one out"),
        (["nowhere", "--sample", "0"], "Invalid value for '--sample'"),
        (["nowhere", "--workers", "0"], "Invalid value for '--workers'"),
        (["nowhere", "--env-timeout", "0"], "env_timeout"),
        (["nowhere", "--executor", "threads"], "threads"),
    ],
)
def test_misuse_takes_one_line_and_exit_code_2(ictbench: Ictbench, arguments: list[str], message: str) -> None:
    outcome = ictbench("verify", *arguments)
    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (2, "", 1)
    assert message in outcome.err

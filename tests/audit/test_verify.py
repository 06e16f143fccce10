"""`ictbench.verify` checks a run or a submission, replays it, and records the checks."""

from __future__ import annotations

import gzip
import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from small_run import small_run, verdicts

import ictbench
from ictbench.audit.target import record_path
from ictbench.audit.verification import Verification
from ictbench.errors import ConfigError, ResultError, RunFolderError, SubmissionError, UnknownNameError

if TYPE_CHECKING:
    from ictbench.audit.verification import Check


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """Return a copy of the small run without its journal."""
    return shutil.copytree(small_run(), tmp_path / "run", ignore=shutil.ignore_patterns("journal*"))


def test_run_is_replayed_completely(run: Path) -> None:
    reported: list[Check] = []
    counts: list[tuple[int, int]] = []
    verification = ictbench.verify(
        run, workers=1, by="a test", on_check=reported.append, on_played=lambda *count: counts.append(count)
    )
    episodes = len(list(ictbench.load_run(small_run()).rows("episodes")))
    assert verification.passed
    assert tuple(reported) == verification.checks
    assert set(verdicts(verification.checks).values()) == {"passed"}
    assert (verification.badge, verification.submission, verification.by, verification.ictbench) == (
        "replayed",
        None,
        "a test",
        ictbench.__version__,
    )
    assert verification.result == ictbench.load_result(run).checksum
    assert verification.versions == ictbench.load_result(run).versions
    assert verification.replayed is not None
    assert (verification.replayed.episodes, verification.replayed.of, verification.replayed.sample_seed) == (
        episodes,
        episodes,
        None,
    )
    assert (sum(count for count, _ in counts), {of for _, of in counts}) == (episodes, {episodes})
    assert abs(verification.date - datetime.now(UTC)) < timedelta(minutes=5)


def test_sample_is_random_by_default_and_repeatable_with_its_salt(run: Path) -> None:
    first, second = (ictbench.verify(run, sample=5, workers=1).replayed for _ in range(2))
    assert first is not None
    assert second is not None
    assert (first.episodes, second.episodes) == (5, 5)
    assert first.sample_seed != second.sample_seed
    salted = [ictbench.verify(run, sample=5, workers=1, salt="abc").replayed for _ in range(2)]
    assert salted[0] == salted[1]
    checksum = ictbench.load_result(run).checksum
    assert salted[0] is not None
    assert salted[0].sample_seed == f"{checksum[:16]}-abc"


def test_written_record_reads_back_unchanged(run: Path) -> None:
    verification = ictbench.verify(run, sample=1, workers=1)
    verification.write(record_path(run, "replayed"))
    assert record_path(run, "replayed") == run / "verification.json"
    assert Verification.model_validate_json((run / "verification.json").read_bytes()) == verification
    assert json.loads((run / "verification.json").read_bytes())["schema"] == "ictbench.verification/1"


def test_nothing_is_replayed_if_a_check_of_the_data_fails(run: Path) -> None:
    (run / "episodes.jsonl.gz").write_bytes((run / "episodes.jsonl.gz").read_bytes()[:-40])
    with pytest.raises(RunFolderError, match=r"episodes.jsonl.gz is truncated"):
        ictbench.verify(run)
    lines = gzip.decompress((small_run() / "episodes.jsonl.gz").read_bytes()).splitlines(keepends=True)
    (run / "episodes.jsonl.gz").write_bytes(gzip.compress(b"".join(lines[1:])))
    verification = ictbench.verify(run)
    failed = {check.name for check in verification.checks if check.verdict == "failed"}
    assert not verification.passed
    assert failed == {"episodes file", "episodes"}
    assert verification.replayed is None
    assert verification.checks[-1].model_dump() == {
        "name": "replay",
        "verdict": "skipped",
        "detail": "nothing is played where the above does not hold",
    }


def test_invalid_record_is_named_with_its_line(run: Path) -> None:
    lines = gzip.decompress((small_run() / "episodes.jsonl.gz").read_bytes()).splitlines(keepends=True)
    lines[2] = b'{"key": 3}\n'
    (run / "episodes.jsonl.gz").write_bytes(gzip.compress(b"".join(lines)))
    (check,) = [check for check in ictbench.verify(run).checks if check.name == "records"]
    assert "episodes.jsonl.gz, line 3 is not an episode record: key: " in check.detail


def test_other_package_versions_fail_and_nothing_is_replayed(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from ictbench.envs.minihack.minihack_env import MiniHackEnv

    monkeypatch.setattr(MiniHackEnv, "versions", lambda self: {"minihack": "9.9", "nle": "1.3.0"})
    verification = ictbench.verify(run)
    (check,) = [check for check in verification.checks if check.verdict == "failed"]
    assert check.name == "packages"
    assert "played with minihack '1.0.2', and here is '9.9': install the same" in check.detail
    assert verification.replayed is None


def test_own_suite_is_verified_with_its_file(tmp_path: Path) -> None:
    text = (Path(ictbench.__file__).parents[1] / "tasks" / "minihack-v1.yaml").read_text("utf-8")
    file = tmp_path / "own-v1.yaml"
    file.write_text(text.replace("name: minihack-v1", "name: own-v1"), encoding="utf-8")
    sizes: dict[str, Any] = {"loops": 1, "turns": 1, "batch_size": 1, "selection_size": 1, "test_size": 1}
    run = ictbench.run(suite=str(file), families=["eat"], **sizes, executor="inline", out=tmp_path / "run")
    with pytest.raises(
        UnknownNameError,
        match="suite 'own-v1' is not installed here; install its package, or name its file",
    ):
        ictbench.verify(run.folder)
    assert ictbench.verify(run.folder, suite=file, workers=1).passed


def test_invalid_targets_and_samples_are_errors(tmp_path: Path) -> None:
    with pytest.raises(SubmissionError, match=r"is neither the folder of a run \(with run\.json\) nor of a submission"):
        ictbench.verify(tmp_path)
    with pytest.raises(ConfigError, match="a sample has at least 1 episode, not 0"):
        ictbench.verify(small_run(), sample=0)


def test_run_without_a_result_is_an_error(run: Path) -> None:
    (run / "result.json").unlink()
    with pytest.raises(RunFolderError, match="has no result yet"):
        ictbench.verify(run)


def test_edited_result_is_an_error(run: Path) -> None:
    text = (run / "result.json").read_text("utf-8")
    (run / "result.json").write_text(text.replace('"max_steps": 25', '"max_steps": 26'), encoding="utf-8")
    with pytest.raises(ResultError, match="was edited"):
        ictbench.verify(run)


@pytest.mark.parametrize(("name", "value"), [("turns", 7), ("suite_digest", "0" * 64), ("families", ["eat"])])
def test_an_edited_configuration_fails(run: Path, name: str, value: Any) -> None:
    config = json.loads((run / "run.json").read_text("utf-8"))
    (run / "run.json").write_text(json.dumps({**config, name: value}), encoding="utf-8")
    verification = ictbench.verify(run, sample=1, workers=1)
    assert not verification.passed
    (failed,) = (check for check in verification.checks if check.verdict == "failed")
    assert failed.name == "configuration"
    assert failed.detail.startswith(f"{name} is ")


def test_record_that_cannot_be_written_is_an_error(run: Path) -> None:
    verification = ictbench.verify(run, sample=1, workers=1)
    (run / "file").touch()
    with pytest.raises(ConfigError, match=r"cannot be written .*; name a file with --record"):
        verification.write(run / "file" / "verification.json")


def test_record_of_a_submission_lies_in_its_board(tmp_path: Path) -> None:
    folder = tmp_path / "minihack-v1" / "submissions" / "mine"
    folder.mkdir(parents=True)
    (folder / "submission.json").touch()
    assert record_path(folder, "replayed") == tmp_path / "minihack-v1" / "verifications" / "mine" / "replayed.json"
    stray = shutil.copytree(folder, tmp_path / "mine")
    with pytest.raises(
        SubmissionError, match="is not in the submissions/ folder of a board; name a file with --record"
    ):
        record_path(stray, "rerun")


def test_unknown_or_invalid_option_is_an_error() -> None:
    options: Any = {"worker": 2}
    with pytest.raises(ConfigError, match="unknown option 'worker'; did you mean 'workers'"):
        ictbench.verify(small_run(), **options)
    with pytest.raises(ConfigError, match=r"executor: 'threads' is not one of inline"):
        ictbench.verify(small_run(), executor="threads")  # type: ignore[arg-type]

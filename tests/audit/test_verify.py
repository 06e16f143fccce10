"""One call tells whether a run, or a submission, is what it claims to be; and what was looked at is on record."""

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
    """A copy of a run, without its journal."""
    return shutil.copytree(small_run(), tmp_path / "run", ignore=shutil.ignore_patterns("journal*"))


def test_a_run_is_played_again_whole(run: Path) -> None:
    seen: list[Check] = []
    told: list[tuple[int, int]] = []
    found = ictbench.verify(
        run, workers=1, by="a test", on_check=seen.append, on_played=lambda *counts: told.append(counts)
    )
    episodes = len(list(ictbench.load_run(small_run()).rows("episodes")))
    assert found.passed
    assert tuple(seen) == found.checks
    assert set(verdicts(found.checks).values()) == {"passed"}
    assert (found.badge, found.submission, found.by, found.ictbench) == (
        "replayed",
        None,
        "a test",
        ictbench.__version__,
    )
    assert found.result == ictbench.load_result(run).checksum
    assert found.versions == ictbench.load_result(run).versions
    assert found.replayed is not None
    assert (found.replayed.episodes, found.replayed.of, found.replayed.sample_seed) == (episodes, episodes, None)
    assert (sum(count for count, _ in told), {of for _, of in told}) == (episodes, {episodes})
    assert abs(found.date - datetime.now(UTC)) < timedelta(minutes=5)


def test_a_sample_is_drawn_by_what_nobody_can_foresee_and_anyone_can_repeat(run: Path) -> None:
    one, other = (ictbench.verify(run, sample=5, workers=1).replayed for _ in range(2))
    assert one is not None
    assert other is not None
    assert (one.episodes, other.episodes) == (5, 5)
    assert one.sample_seed != other.sample_seed
    salted = [ictbench.verify(run, sample=5, workers=1, salt="abc").replayed for _ in range(2)]
    assert salted[0] == salted[1]
    checksum = ictbench.load_result(run).checksum
    assert salted[0] is not None
    assert salted[0].sample_seed == f"{checksum[:16]}-abc"


def test_a_record_reads_back_as_it_was_written(run: Path) -> None:
    found = ictbench.verify(run, sample=1, workers=1)
    found.write(record_path(run, "replayed"))
    assert record_path(run, "replayed") == run / "verification.json"
    assert Verification.model_validate_json((run / "verification.json").read_bytes()) == found
    assert json.loads((run / "verification.json").read_bytes())["schema"] == "ictbench.verification/1"


def test_where_the_records_do_not_hold_nothing_is_played(run: Path) -> None:
    (run / "episodes.jsonl.gz").write_bytes((run / "episodes.jsonl.gz").read_bytes()[:-40])
    with pytest.raises(RunFolderError, match=r"episodes.jsonl.gz cannot be read: "):
        ictbench.verify(run)
    lines = gzip.decompress((small_run() / "episodes.jsonl.gz").read_bytes()).splitlines(keepends=True)
    (run / "episodes.jsonl.gz").write_bytes(gzip.compress(b"".join(lines[1:])))
    found = ictbench.verify(run)
    failed = {check.name for check in found.checks if check.verdict == "failed"}
    assert not found.passed
    assert failed == {"episodes file", "episodes"}
    assert found.replayed is None
    assert found.checks[-1].model_dump() == {
        "name": "replay",
        "verdict": "skipped",
        "detail": "nothing is played where the above does not hold",
    }


def test_a_record_that_is_none_is_told_with_its_line(run: Path) -> None:
    lines = gzip.decompress((small_run() / "episodes.jsonl.gz").read_bytes()).splitlines(keepends=True)
    lines[2] = b'{"key": 3}\n'
    (run / "episodes.jsonl.gz").write_bytes(gzip.compress(b"".join(lines)))
    (check,) = [check for check in ictbench.verify(run).checks if check.name == "records"]
    assert "episodes.jsonl.gz, line 3 is no episode's record: key: " in check.detail


def test_other_packages_than_played_are_told_and_nothing_is_played(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from ictbench.envs.minihack.minihack_env import MiniHackEnv

    monkeypatch.setattr(MiniHackEnv, "versions", lambda self: {"minihack": "9.9", "nle": "1.3.0"})
    found = ictbench.verify(run)
    (check,) = [check for check in found.checks if check.verdict == "failed"]
    assert check.name == "packages"
    assert "played with minihack '1.0.2', and here is '9.9': install the same" in check.detail
    assert found.replayed is None


def test_a_suite_of_ones_own_is_verified_by_its_file(tmp_path: Path) -> None:
    text = (Path(ictbench.__file__).parents[1] / "tasks" / "minihack-v1.yaml").read_text("utf-8")
    file = tmp_path / "own-v1.yaml"
    file.write_text(text.replace("name: minihack-v1", "name: own-v1"), encoding="utf-8")
    sizes: dict[str, Any] = {"loops": 1, "turns": 1, "batch_size": 1, "selection_size": 1, "test_size": 1}
    run = ictbench.run(suite=str(file), families=["eat"], **sizes, executor="inline", out=tmp_path / "run")
    with pytest.raises(UnknownNameError, match="no suite 'own-v1' ships with ictbench; name its file with --suite"):
        ictbench.verify(run.folder)
    assert ictbench.verify(run.folder, suite=file, workers=1).passed


def test_what_is_neither_run_nor_submission_is_said(tmp_path: Path) -> None:
    with pytest.raises(SubmissionError, match=r"is neither the folder of a run \(with run\.json\) nor of a submission"):
        ictbench.verify(tmp_path)
    with pytest.raises(ConfigError, match="a sample has at least 1 episode, not 0"):
        ictbench.verify(small_run(), sample=0)


def test_a_run_without_a_result_is_said(run: Path) -> None:
    (run / "result.json").unlink()
    with pytest.raises(RunFolderError, match="has no result yet"):
        ictbench.verify(run)


def test_an_edited_result_is_said(run: Path) -> None:
    text = (run / "result.json").read_text("utf-8")
    (run / "result.json").write_text(text.replace('"max_steps": 25', '"max_steps": 26'), encoding="utf-8")
    with pytest.raises(ResultError, match="was edited"):
        ictbench.verify(run)


def test_a_record_that_cannot_be_written_is_said(run: Path) -> None:
    found = ictbench.verify(run, sample=1, workers=1)
    (run / "file").touch()
    with pytest.raises(ConfigError, match=r"cannot be written .*; name a file with --out"):
        found.write(run / "file" / "verification.json")


def test_the_record_of_a_submission_is_the_boards(tmp_path: Path) -> None:
    folder = tmp_path / "minihack-v1" / "submissions" / "mine"
    folder.mkdir(parents=True)
    (folder / "submission.json").touch()
    assert record_path(folder, "replayed") == tmp_path / "minihack-v1" / "verifications" / "mine" / "replayed.json"
    stray = shutil.copytree(folder, tmp_path / "mine")
    with pytest.raises(SubmissionError, match="is in no board's submissions/ folder; name a file with --out"):
        record_path(stray, "rerun")

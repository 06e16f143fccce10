"""Reports from the folders of real runs: finished, unfinished, damaged."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
from typing import TYPE_CHECKING, Any

import pytest

import ictbench
from ictbench.errors import IctbenchError, ResultError, RunFolderError

if TYPE_CHECKING:
    from pathlib import Path

SIZES: dict[str, Any] = {"turns": 1, "batch_size": 1, "loops": 1, "selection_size": 1, "test_size": 2}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> ictbench.Run:
    out = tmp_path_factory.mktemp("finished") / "run"
    return ictbench.run(suite="minihack-v1", families="room-random", out=out, **SIZES)


@pytest.fixture
def run(finished: ictbench.Run, tmp_path: Path) -> ictbench.Run:
    """A copy of a finished run that a test may damage."""
    shutil.copytree(finished.folder, tmp_path / "run")
    return ictbench.load_run(tmp_path / "run")


def refused(*runs: ictbench.Run, **options: Any) -> str:
    """What a refusal says; nothing is changed, and no page is left behind."""
    before = {path: path.read_bytes() for run in runs for path in run.folder.iterdir() if path.is_file()}
    with pytest.raises(IctbenchError) as caught:
        ictbench.write_report(runs, **options)
    assert before == {path: path.read_bytes() for path in before}
    assert not [path for run in runs for path in run.folder.glob("*html*")]
    assert "\n" not in str(caught.value)
    return str(caught.value)


def documents(page: Path) -> Any:
    text = page.read_text(encoding="utf-8")
    return json.loads(text.split('id="document">')[1].split("</script>")[0])


def test_a_run_is_reported_in_its_own_folder(run: ictbench.Run) -> None:
    path = ictbench.write_report([run])
    assert path == run.folder / "report.html"
    assert documents(path)["runs"][0]["episodes"]["keys"] == run.episode_keys()
    # A report may take the place of an older one, and is no reason to refuse the folder.
    assert ictbench.write_report([run], episodes="none") == path
    assert documents(path)["runs"][0]["episodes"]["keys"] == []
    assert ictbench.run(suite="minihack-v1", families="room-random", out=run.folder, **SIZES).result.complete


def test_several_runs_are_reported_where_one_stands(
    run: ictbench.Run, finished: ictbench.Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert ictbench.write_report([run, finished]).resolve() == tmp_path / "report.html"
    found = documents(tmp_path / "report.html")
    assert [each["name"] for each in found["runs"]] == ["run", "run"]
    assert found["differences"] == []
    assert ictbench.write_report([run], tmp_path / "new" / "page.html") == tmp_path / "new" / "page.html"


def test_a_run_given_twice_or_none_at_all_is_refused(run: ictbench.Run) -> None:
    again = ictbench.load_run(run.folder / ".." / "run")
    assert "the same one was given twice" in refused(run, again)
    assert "a report takes one run or several" in refused()


def test_a_run_without_a_result_is_told_to_go_on(run: ictbench.Run) -> None:
    (run.folder / "result.json").unlink()
    said = refused(ictbench.load_run(run.folder))
    assert said.startswith(f"{run.folder} has no result yet; continue its run")


def test_a_truncated_result_is_refused(run: ictbench.Run) -> None:
    text = (run.folder / "result.json").read_text(encoding="utf-8")
    (run.folder / "result.json").write_text(text[: len(text) // 2], encoding="utf-8")
    with pytest.raises(ResultError, match=r"result\.json is no result of schema"):
        ictbench.write_report([ictbench.load_run(run.folder)])


def test_without_its_journal_a_run_can_still_be_reported_without_episodes(run: ictbench.Run) -> None:
    (run.folder / "journal.sqlite").unlink()
    said = refused(run)
    assert said.startswith(f"{run.folder / 'journal.sqlite'} is missing, and it holds the episodes; ")
    assert said.endswith("--episodes none makes a report without trajectories")
    assert ictbench.write_report([run], episodes="none").exists()


def overwritten(path: Path) -> None:
    path.write_bytes(b"no database at all" * 1000)


def empty(path: Path) -> None:
    path.write_bytes(b"")


def torn(path: Path) -> None:
    """Pages in the middle are zero."""
    content = bytearray(path.read_bytes())
    content[4096:-4096] = bytes(len(content) - 2 * 4096)
    path.write_bytes(content)


def changed_record(path: Path) -> None:
    with sqlite3.connect(path) as database:
        database.execute("UPDATE episodes SET record = x'00'")
    database.close()


def other_record(path: Path) -> None:
    import zlib

    with sqlite3.connect(path) as database:
        database.execute("UPDATE episodes SET record = ?", (zlib.compress(b'{"key": 1}'),))
    database.close()


@pytest.mark.parametrize("damage", [overwritten, empty, torn, changed_record, other_record])
def test_a_damaged_journal_is_refused_in_one_line(run: ictbench.Run, damage: Any) -> None:
    damage(run.folder / "journal.sqlite")
    said = refused(run)
    journal = re.escape(str(run.folder / "journal.sqlite"))
    assert re.match(rf"(journal )?{journal} (cannot be used|is damaged): ", said)
    assert said.endswith("; --episodes none makes a report without trajectories")


def test_a_file_that_is_no_report_is_not_overwritten(run: ictbench.Run, tmp_path: Path) -> None:
    mine = tmp_path / "mine.html"
    mine.write_text("<!DOCTYPE html><title>Mine</title>", encoding="utf-8")
    assert refused(run, out=mine) == f"{mine} exists and is no report; choose another --out"
    assert refused(run, out=tmp_path) == f"{tmp_path} exists and is no report; choose another --out"
    assert mine.read_text(encoding="utf-8") == "<!DOCTYPE html><title>Mine</title>"


def test_a_place_that_cannot_be_written_is_refused(run: ictbench.Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    out = tmp_path / "file" / "report.html"
    with pytest.raises(RunFolderError, match=r"report\.html cannot be written \(.+\); choose another --out"):
        ictbench.write_report([run], out)

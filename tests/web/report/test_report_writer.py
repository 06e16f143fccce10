"""Reports of real run folders: finished, unfinished, damaged."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
from typing import TYPE_CHECKING, Any

import pytest
from memory_run import memory_run

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


def refusal(*runs: ictbench.Run, **options: Any) -> str:
    """Return the message of a refused report, which changes no file and leaves no page."""
    before = {path: path.read_bytes() for run in runs for path in run.folder.iterdir() if path.is_file()}
    with pytest.raises(IctbenchError) as caught:
        ictbench.write_report(runs, **options)
    assert before == {path: path.read_bytes() for path in before}
    assert not [path for run in runs for path in run.folder.glob("*html*")]
    assert "\n" not in str(caught.value)
    return str(caught.value)


def document_of(page: Path) -> Any:
    text = page.read_text(encoding="utf-8")
    return json.loads(text.split('id="document">')[1].split("</script>")[0])


def test_report_of_one_run_is_written_into_its_folder(run: ictbench.Run) -> None:
    path = ictbench.write_report([run])
    assert path == run.folder / "report.html"
    assert document_of(path)["runs"][0]["episodes"]["keys"] == run.episode_keys()
    # A report may replace an older one, and a folder with a report can still be continued.
    assert ictbench.write_report([run], episodes="none") == path
    assert document_of(path)["runs"][0]["episodes"]["keys"] == []
    assert ictbench.run(suite="minihack-v1", families="room-random", out=run.folder, **SIZES).result.complete


def test_report_of_several_runs_is_written_into_the_current_folder(
    run: ictbench.Run, finished: ictbench.Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert ictbench.write_report([run, finished]).resolve() == tmp_path / "report.html"
    document = document_of(tmp_path / "report.html")
    assert [each["name"] for each in document["runs"]] == ["run", "run"]
    assert document["differences"] == []
    assert ictbench.write_report([run], tmp_path / "new" / "page.html") == tmp_path / "new" / "page.html"


def test_same_run_twice_and_no_run_are_refused(run: ictbench.Run) -> None:
    again = ictbench.load_run(run.folder / ".." / "run")
    assert "the same run was given twice" in refusal(run, again)
    assert "at least one run" in refusal()


def test_a_run_without_a_result_is_shown_from_its_journal(run: ictbench.Run) -> None:
    families = run.result.families
    (run.folder / "result.json").unlink()
    again = ictbench.load_run(run.folder)
    assert again.current_result().families == families
    assert ictbench.write_report(again).exists()


def test_truncated_result_is_refused(run: ictbench.Run) -> None:
    text = (run.folder / "result.json").read_text(encoding="utf-8")
    (run.folder / "result.json").write_text(text[: len(text) // 2], encoding="utf-8")
    with pytest.raises(ResultError, match=r"result\.json"):
        ictbench.write_report([ictbench.load_run(run.folder)])


def test_run_without_its_journal_can_be_reported_without_episodes(run: ictbench.Run) -> None:
    (run.folder / "journal.sqlite").unlink()
    message = refusal(run)
    assert message.startswith(f"{run.folder / 'journal.sqlite'} is missing, and it holds the episodes; ")
    assert message.endswith("--episodes none makes a report without trajectories")
    assert ictbench.write_report([run], episodes="none").exists()


def overwritten(path: Path) -> None:
    path.write_bytes(b"no database at all" * 1000)


def empty(path: Path) -> None:
    path.write_bytes(b"")


def zeroed(path: Path) -> None:
    """Overwrite all but the first and last page with zeros."""
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


@pytest.mark.parametrize("damage", [overwritten, empty, zeroed, changed_record, other_record])
def test_damaged_journal_is_refused(run: ictbench.Run, damage: Any) -> None:
    damage(run.folder / "journal.sqlite")
    message = refusal(run)
    journal = re.escape(str(run.folder / "journal.sqlite"))
    assert re.match(rf"(journal )?{journal} (cannot be used: |is damaged: |has other tables)", message)
    assert message.endswith("; --episodes none makes a report without trajectories")


def test_other_files_are_not_overwritten(run: ictbench.Run, tmp_path: Path) -> None:
    mine = tmp_path / "mine.html"
    mine.write_text("<!DOCTYPE html><title>Mine</title>", encoding="utf-8")
    assert refusal(run, out=mine) == f"{mine} exists and is not a report; choose another --out"
    assert refusal(run, out=tmp_path) == f"{tmp_path} exists and is not a report; choose another --out"
    assert mine.read_text(encoding="utf-8") == "<!DOCTYPE html><title>Mine</title>"


def test_path_that_cannot_be_written_is_refused(run: ictbench.Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    out = tmp_path / "file" / "report.html"
    with pytest.raises(RunFolderError, match=r"report\.html cannot be written \(.+\); choose another --out"):
        ictbench.write_report([run], out)


def test_a_page_holds_the_memories_that_its_prompts_name(tmp_path: Path) -> None:
    shutil.copytree(memory_run().folder, tmp_path / "run")
    run = ictbench.load_run(tmp_path / "run")
    named = {prompt.memory for family in run.result.families for loop in family.loops for prompt in loop.prompts} - {""}
    finished = document_of(ictbench.write_report(run, tmp_path / "finished.html"))["runs"][0]
    assert {*finished["memories"]["keys"]} == named
    (run.folder / "memories.jsonl.gz").unlink()
    missing = f"{run.folder / 'memories.jsonl.gz'} is missing, with the {len(named)} memories that the result names"
    assert refusal(run) == f"{missing}; copy it from where the run was played"
    # The memories of an unfinished run are in its journal.
    (run.folder / "result.json").unlink()
    page = ictbench.write_report(ictbench.load_run(run.folder), tmp_path / "unfinished.html")
    assert document_of(page)["runs"][0]["memories"] == finished["memories"]
    assert 'id="memory-0-0"' in page.read_text(encoding="utf-8")


def test_a_run_without_a_memory_has_none_in_its_page(run: ictbench.Run, tmp_path: Path) -> None:
    assert "memories" not in document_of(ictbench.write_report(run, tmp_path / "page.html"))["runs"][0]

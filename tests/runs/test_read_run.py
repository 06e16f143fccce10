"""Rows and data frames of a run."""

from __future__ import annotations

import json
import shutil
import sqlite3
import zlib
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

import ictbench
from ictbench.errors import RunFolderError
from ictbench.records import episode_key, prompt_digest
from ictbench.results.rows import TABLES, EpisodeRow
from ictbench.runs.folder_lock import lock_folder
from ictbench.runs.journal import Journal
from ictbench.runs.read_run import open_journal
from ictbench.runs.run_folder import RunFolder

if TYPE_CHECKING:
    from pathlib import Path

SIZES: dict[str, Any] = {"turns": 2, "batch_size": 2, "loops": 2, "selection_size": 3, "test_size": 4}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> ictbench.Run:
    out = tmp_path_factory.mktemp("recorded") / "run"
    return ictbench.run(suite="minihack-v1", families="eat,room-random", audit=True, out=out, **SIZES)


@pytest.fixture
def copy(run: ictbench.Run, tmp_path: Path) -> ictbench.Run:
    """Copy of the run, to be damaged."""
    shutil.copytree(run.folder, tmp_path / "copy")
    return ictbench.load_run(tmp_path / "copy")


def test_every_episode_is_a_row_that_agrees_with_its_record(run: ictbench.Run) -> None:
    frame = run.episodes(steps=True)
    assert list(frame["key"]) == run.episode_keys()
    for row in frame.to_dict("records")[:40]:
        episode = run.episode(row["key"])
        trajectory = episode.trajectory
        assert (row["task"], row["family"], row["env"]) == (episode.task.id, episode.task.family, "minihack")
        assert json.loads(row["params"]) == episode.task.params
        assert (row["prompt"], row["seed"], row["end"]) == (episode.prompt, episode.seed, trajectory.end)
        assert (row["solved"], row["decisions"], row["invalid"], row["total_reward"]) == (
            trajectory.solved,
            len(trajectory.steps),
            trajectory.invalid,
            trajectory.total_reward,
        )
        assert row["steps"] == [step.model_dump(mode="json") for step in trajectory.steps]
        assert row["last_observation"] == trajectory.last_observation
        assert json.loads(row["versions"]) == episode.versions


def test_steps_are_left_out_by_default(run: ictbench.Run) -> None:
    left_out = set(run.episodes(steps=True).columns) - set(run.episodes().columns)
    assert left_out == {"steps", "last_observation"}


def test_the_uses_of_episodes_reproduce_every_outcome_of_the_result(run: ictbench.Run) -> None:
    """The rows alone are enough to count everything again."""
    solved = {
        (row["family"], use["pool"], use["loop"], use["prompt"], row["task"]): row["solved"]
        for row in run.episodes().to_dict("records")
        for use in row["uses"]
    }
    for family in run.result.families:
        for loop in family.loops:
            for index, outcomes in loop.test.items():
                played = [solved[family.name, "test", loop.index, index, task] for task in loop.test_tasks]
                assert "".join("01"[outcome] for outcome in played) == outcomes
            for index, outcomes in enumerate(loop.selection):
                played = [solved[family.name, "selection", loop.index, index, task] for task in loop.selection_tasks]
                assert "".join("01"[outcome] for outcome in played) == outcomes
            for index, batch in enumerate(loop.batches):
                played = [solved[family.name, "experience", loop.index, index, task] for task in batch.tasks]
                assert "".join("01"[outcome] for outcome in played) == batch.outcomes
            (audit,), (own, following) = loop.audit, loop.batches
            for index, batch, outcomes in ((1, own, audit.replayed), (0, following, audit.fresh)):
                played = [solved[family.name, "audit", loop.index, index, task] for task in batch.tasks]
                assert "".join("01"[outcome] for outcome in played) == outcomes
    # Here, every episode belongs to a finished loop, and each outcome occurs once.
    assert all(len(row["uses"]) and row["pools"] and row["loops"] for row in run.episodes().to_dict("records"))
    tested = sum(len(loop.test) * 4 for family in run.result.families for loop in family.loops)
    assert len(solved) == 2 * 2 * (2 * 2 + 2 * 2 + 3 * 3) + tested


def test_every_turn_is_a_row(run: ictbench.Run) -> None:
    rows = run.reflections().to_dict("records")
    assert [(row["family"], row["loop"], row["turn"]) for row in rows] == [
        (family, loop, turn) for family in ("room-random", "eat") for loop in (0, 1) for turn in (1, 2)
    ]
    families = {family.name: family for family in run.result.families}
    for row in rows:
        loop = families[row["family"]].loops[row["loop"]]
        before, after = loop.prompts[row["turn"] - 1], loop.prompts[row["turn"]]
        assert (row["prompt_before"], row["prompt_after"], row["analysis"]) == (before.text, after.text, after.analysis)
        assert (row["digest_before"], row["digest_after"]) == (prompt_digest(before.text), prompt_digest(after.text))
        assert row["outcomes"] == loop.batches[row["turn"] - 1].outcomes
        assert row["episodes"] == [episode_key(task, before.digest) for task in loop.batches[row["turn"] - 1].tasks]
        assert set(row["episodes"]) <= set(run.episode_keys())
        assert row["best"] == (loop.best == row["turn"])
        assert row["selection_after"] == loop.selection[row["turn"]].count("1") / 3
        assert set(json.loads(row["state"])) >= {"sights"}
        audited = (row["audit_replayed"], row["audit_fresh"])
        if row["turn"] == 1:
            assert audited == (loop.audit[0].replayed, loop.audit[0].fresh)
        else:
            assert pd.isna(audited[0])
            assert pd.isna(audited[1])


def test_every_finished_loop_is_a_row(run: ictbench.Run) -> None:
    rows = run.results().to_dict("records")
    loops = run.tables()["loops"].to_dict("records")
    for row, loop in zip(rows, loops, strict=True):
        assert {name: row[name] for name in ("family", "loop", "base", "best", "last", "gain", "best_prompt")} == {
            name: loop[name] for name in ("family", "loop", "base", "best", "last", "gain", "best_prompt")
        }
        assert (row["suite"], row["reflector"], row["actor"]) == ("minihack-v1", "rules", "rules")
        assert {test["prompt"] for test in row["test"]} >= {0, row["best_prompt"], 2}
    for family in run.result.families:
        assert family.measures is not None
        assert family.measures.overfitting_gap is not None
        gaps = [row["overfitting_gap"] for row in rows if row["family"] == family.name]
        assert family.measures.overfitting_gap.value == pytest.approx(sum(gaps) / 2)


@pytest.mark.parametrize("table", TABLES)
def test_every_column_has_a_description(table: Any) -> None:
    assert {
        name: field.description for name, field in TABLES[table].model_fields.items() if not field.description
    } == {}


def test_rows_are_yielded_one_at_a_time(run: ictbench.Run) -> None:
    rows = run.rows("episodes")
    first = next(rows)
    assert isinstance(first, EpisodeRow)
    assert first.key == run.episode_keys()[0]


def test_a_run_without_a_result_has_episodes_only(copy: ictbench.Run, run: ictbench.Run) -> None:
    (copy.folder / "result.json").unlink()
    frame = copy.episodes()
    assert list(frame["key"]) == run.episode_keys()
    assert not any(map(len, frame["uses"]))
    for table in (copy.reflections, copy.results):
        with pytest.raises(RunFolderError, match="has no result yet; continue its run"):
            table()


def test_a_run_that_is_still_running_is_not_to_be_continued(copy: ictbench.Run) -> None:
    (copy.folder / "result.json").unlink()
    lock = lock_folder(copy.folder, "run.json")
    try:
        for read in (ictbench.load_result, ictbench.power, ictbench.verify):
            with pytest.raises(RunFolderError, match="is still running and has no result yet; wait for it to end"):
                read(copy.folder)
    finally:
        lock.close()


@pytest.mark.parametrize("how", ["text", "pages"])
def test_a_run_with_a_damaged_journal_is_not_continued(copy: ictbench.Run, how: str) -> None:
    (copy.folder / "result.json").unlink()
    content = bytearray((copy.folder / "journal.sqlite").read_bytes())
    if how == "text":
        content[content.index(b"eat-") + 1] = 0xFF
    else:
        for place in range(2 * 4096, len(content), 4096):
            content[place] ^= 0xFF
    (copy.folder / "journal.sqlite").write_bytes(content)
    for call in (
        copy.episode_keys,
        lambda: ictbench.run(suite="minihack-v1", families="eat,room-random", audit=True, out=copy.folder, **SIZES),
    ):
        with pytest.raises(RunFolderError, match=r"journal.sqlite is damaged: .*; put back a copy of it") as caught:
            call()
        assert "\n" not in str(caught.value)


def test_a_truncated_configuration_is_refused_with_its_remedy(copy: ictbench.Run) -> None:
    config = copy.folder / "run.json"
    config.write_text(config.read_text("utf-8")[:300], encoding="utf-8")
    for read in (ictbench.load_run, ictbench.verify):
        with pytest.raises(RunFolderError, match=r"run.json is not JSON: line \d+.*; put back a copy of the file"):
            read(copy.folder)


def test_a_missing_journal_is_refused_in_one_line(copy: ictbench.Run) -> None:
    (copy.folder / "journal.sqlite").unlink()
    assert len(copy.results()) == 4
    for table in (copy.episodes, copy.reflections, copy.episode_keys):
        with pytest.raises(RunFolderError, match=r"journal.sqlite is missing, and it holds the episodes"):
            table()


@pytest.mark.parametrize("content", [b"", b"no database", b"SQLite format 3\x00" + bytes(84)])
def test_a_file_that_is_not_a_journal_is_refused_in_one_line(copy: ictbench.Run, content: bytes) -> None:
    for path in copy.folder.glob("journal.sqlite*"):
        path.unlink()
    (copy.folder / "journal.sqlite").write_bytes(content)
    with pytest.raises(
        RunFolderError, match=r"journal.sqlite (cannot be used: |is damaged: |has other tables)"
    ) as caught:
        copy.episodes()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("record", [b"\x00\x01", zlib.compress(b"{"), zlib.compress(b"{}")])
def test_a_damaged_record_is_refused_in_one_line(copy: ictbench.Run, record: bytes) -> None:
    with closing(sqlite3.connect(copy.folder / "journal.sqlite", isolation_level=None)) as database:
        assert database.execute("UPDATE episodes SET record = ?", [record]).rowcount > 0
    with pytest.raises(RunFolderError, match=r"journal.sqlite is damaged: ") as caught:
        copy.episodes()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("record", ["text", 7, 0.5])
def test_a_record_of_another_type_is_refused_in_one_line(copy: ictbench.Run, record: object) -> None:
    with closing(sqlite3.connect(copy.folder / "journal.sqlite", isolation_level=None)) as database:
        database.execute("UPDATE episodes SET record = ?", [record])
        database.execute("UPDATE reflections SET record = ?", [record])
        database.execute("UPDATE meta SET value = x'00'")
    for table in (copy.episodes, copy.reflections):
        with pytest.raises(RunFolderError, match=r"journal is damaged: a record is no compressed data"):
            table()
    with open_journal(RunFolder(copy.folder)) as journal, pytest.raises(RunFolderError, match=r"is no text"):
        journal.get("spent")


def test_a_journal_that_lacks_an_episode_of_the_result_is_refused(copy: ictbench.Run) -> None:
    lost = copy.episode_keys("eat-20000@")
    with closing(Journal(copy.folder / "journal.sqlite")) as journal:
        journal.forget_reflections("eat", 1, 2)
        journal.forget_episodes(lost)
    with pytest.raises(RunFolderError, match=r"lacks the reflection of eat, loop 1, turn 2, that result.json counts"):
        copy.reflections()
    with pytest.raises(RunFolderError, match=rf"lacks {len(lost)} episodes that result.json counts, e.g. {lost[0]}"):
        copy.episodes()

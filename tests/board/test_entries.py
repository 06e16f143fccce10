from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from boards import made_up, submit, verify

from ictbench.board import board_log as log
from ictbench.board.entries import find_boards, read_board
from ictbench.errors import SubmissionError
from ictbench.records import PluginSpec
from ictbench.submissions.layout import BoardFolder

if TYPE_CHECKING:
    from pathlib import Path

    from ictbench.board.entries import Entry

READ = {"read": [("0000", "1111"), ("0000", "1110"), ("0000", "1101")]}


@pytest.fixture
def folder(tmp_path: Path) -> BoardFolder:
    return BoardFolder(tmp_path / "rooms-v1")


def only(folder: BoardFolder) -> Entry:
    (entry,) = read_board(folder).entries
    return entry


def test_a_replayed_submission_is_ranked(folder: BoardFolder) -> None:
    submit(folder, "mine", made_up(READ))
    entry = only(folder)
    assert (entry.slug, entry.section, list(entry.badges.held)) == ("mine", "ranked", ["replayed"])
    assert entry.badges.replayed_share == 1.0


def test_what_nobody_replayed_waits(folder: BoardFolder) -> None:
    submit(folder, "mine", made_up(READ), badges=())
    assert only(folder).why_unranked == (
        "waiting",
        "the board has not replayed it: its numbers are those of the submitter",
    )


def test_a_changed_submission_loses_its_badges_and_says_so(folder: BoardFolder) -> None:
    submit(folder, "mine", made_up(READ), badges=("replayed", "rerun"))
    submit(folder, "mine", made_up(READ), badges=(), description="Something else.")
    entry = only(folder)
    assert (entry.section, entry.badges.held) == ("waiting", {})
    assert entry.badges.remarks == (
        "Changed since it was replayed on 2026-01-02: the badge no longer applies.",
        "Changed since it was rerun on 2026-01-02: the badge no longer applies.",
    )


def test_a_badge_is_bound_to_the_result_too(folder: BoardFolder) -> None:
    submission = submit(folder, "mine", made_up(READ), badges=())
    verify(folder, "mine", "replayed", submission, made_up(READ, label="other"))
    assert only(folder).section == "waiting"


def test_checks_that_failed_give_no_badge_and_are_told(folder: BoardFolder) -> None:
    submission = submit(folder, "mine", made_up(READ), badges=())
    checks = [{"name": "replay", "verdict": "failed", "detail": "read-1, decision 3: another screen"}]
    verify(folder, "mine", "replayed", submission, made_up(READ), passed=False, checks=checks)
    entry = only(folder)
    assert entry.section == "waiting"
    assert entry.badges.remarks == (
        "Not replayed: checks of 2026-01-02 failed: replay: read-1, decision 3: another screen.",
    )


def test_a_sample_shows_its_share(folder: BoardFolder) -> None:
    submission = submit(folder, "mine", made_up(READ), badges=())
    sample = {"episodes": 600, "of": 3000, "decisions": 9000, "sample_seed": "s"}
    verify(folder, "mine", "replayed", submission, made_up(READ), replayed=sample)
    assert only(folder).badges.replayed_share == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("changes", "section", "reason"),
    [
        ({"reflector": PluginSpec(label="blind:rules", name="blind")}, "control", "its reflector sees no trajectories"),
        ({"reflector_trained_on": ("rooms-v1/read",)}, "trained", "its reflector was trained on held-out read"),
        ({"deviations": ("turns 2 instead of 5",), "ranked": False}, "shown", "turns 2 instead of 5"),
        ({"complete": False, "owed": 3, "ranked": False}, "shown", "it is incomplete: 3 owed"),
        ({"roles": {"read": "meta-train"}}, "shown", "the board shows it as it is"),
    ],
)
def test_what_is_not_ranked_stands_apart_with_the_reason(
    folder: BoardFolder, changes: dict[str, Any], section: str, reason: str
) -> None:
    submit(folder, "mine", made_up(READ, **changes))
    assert only(folder).why_unranked == (section, reason)


def test_training_that_only_the_submitter_knows_of_counts(folder: BoardFolder) -> None:
    submit(folder, "mine", made_up(READ, reflector_trained_on=None), reflector_trained_on=("rooms-v1/read",))
    assert only(folder).section == "trained"
    submit(folder, "mine", made_up(READ, reflector_trained_on=None))
    assert (only(folder).section, only(folder).trained_on) == ("ranked", None)


def test_the_board_shows_a_quick_run_and_never_ranks_it(folder: BoardFolder) -> None:
    quick = made_up(READ, profile="quick", ranked=False)
    submit(folder, "small", quick, unranked=True)
    assert only(folder).why_unranked == ("shown", "the quick profile is never ranked")
    submit(folder, "big", made_up(READ), unranked=True)
    assert [entry.section for entry in read_board(folder).entries] == ["shown", "shown"]
    submit(folder, "other", quick)
    with pytest.raises(SubmissionError, match="has profile quick, which is not ranked; move it to unranked/"):
        read_board(folder)


def test_a_file_that_is_not_the_one_named_is_refused(folder: BoardFolder) -> None:
    submit(folder, "mine", made_up(READ))
    result = folder.submission("mine").result
    result.write_text(result.read_text("utf-8").replace('"lite"', '"lite" '), encoding="utf-8")
    with pytest.raises(SubmissionError, match=r"result\.json was changed"):
        read_board(folder)


def test_a_link_out_of_the_submission_is_refused(folder: BoardFolder, tmp_path: Path) -> None:
    submit(folder, "mine", made_up(READ))
    (tmp_path / "secret").write_text("secret", encoding="utf-8")
    folder.submission("mine").metadata.unlink()
    folder.submission("mine").metadata.symlink_to(tmp_path / "secret")
    with pytest.raises(SubmissionError, match="symbolic link"):
        read_board(folder)


@pytest.mark.parametrize("name", ["Mine", "mine ", "a" * 65, "-mine", "mi_ne"])
def test_a_folder_that_is_no_slug_is_refused(folder: BoardFolder, name: str) -> None:
    submit(folder, "mine", made_up(READ))
    folder.submission("mine").path.rename(folder.submission(name).path)
    with pytest.raises(SubmissionError, match="which is not a valid submission name"):
        read_board(folder)


def test_a_submission_of_another_suite_is_refused(folder: BoardFolder) -> None:
    submit(folder, "mine", made_up(READ), suite="halls-v1")
    with pytest.raises(SubmissionError, match="has another suite or profile"):
        read_board(folder)


def test_a_slug_is_there_once(folder: BoardFolder) -> None:
    submit(folder, "mine", made_up(READ))
    submit(folder, "mine", made_up(READ), unranked=True)
    with pytest.raises(SubmissionError, match="has mine in both submissions and unranked"):
        read_board(folder)


def test_a_record_that_shows_nothing_is_refused(folder: BoardFolder) -> None:
    submission = submit(folder, "mine", made_up(READ), badges=())
    verify(folder, "mine", "replayed", submission, made_up(READ), replayed=None)
    with pytest.raises(SubmissionError, match="is not a record for the badge `replayed`"):
        read_board(folder)
    record = folder.verification("mine", "replayed")
    record.write_text("{}", encoding="utf-8")
    with pytest.raises(SubmissionError, match="is not a verification record: schema: Field required"):
        read_board(folder)
    verify(folder, "mine", "rerun", submission, made_up(READ))
    folder.verification("mine", "rerun").rename(record)
    with pytest.raises(SubmissionError, match="is not a record for the badge `replayed`"):
        read_board(folder)


def test_what_the_log_does_not_know_is_named(folder: BoardFolder) -> None:
    submission = submit(folder, "mine", made_up(READ))
    assert [entry.slug for entry in read_board(folder).unlogged] == ["mine"]
    log.append(folder.log, "added", "mine", by="us", reason="new", submission=submission.digest)
    assert read_board(folder).unlogged == ()
    submit(folder, "mine", made_up(READ), description="Corrected.")
    assert [entry.slug for entry in read_board(folder).unlogged] == ["mine"]


def test_boards_are_found_by_suite(folder: BoardFolder, tmp_path: Path) -> None:
    with pytest.raises(SubmissionError, match="holds no board"):
        find_boards(tmp_path)
    submit(folder, "mine", made_up(READ))
    (tmp_path / "notes").mkdir()
    assert [board.suite for board in find_boards(tmp_path)] == ["rooms-v1"]


def test_a_few_episodes_and_a_wide_margin_make_no_badge(folder: BoardFolder) -> None:
    submission = submit(folder, "mine", made_up(READ), badges=())
    sample = {"episodes": 499, "of": 3000, "decisions": 9000, "sample_seed": "s"}
    verify(folder, "mine", "replayed", submission, made_up(READ), replayed=sample)
    entry = only(folder)
    assert entry.section == "waiting"
    assert entry.badges.remarks == ("Not replayed on 2026-01-02: 499 episodes were replayed; a badge needs 500.",)
    wide = {"loops": (100, 101), "fresh_tasks": True, "measure": "best", "submitted": 0.8, "rerun": 0.2}
    wide |= {"low": -0.7, "high": -0.5, "margin": 0.9}
    verify(folder, "mine", "rerun", submission, made_up(READ), reran=wide)
    assert only(folder).badges.remarks[1] == "Not rerun on 2026-01-02: the margin was 0.9; a badge allows at most 0.1."

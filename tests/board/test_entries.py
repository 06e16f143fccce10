from __future__ import annotations

import copy
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from boards import make_result, submit, verify

from ictbench.actors.person import person
from ictbench.board import board_log as log
from ictbench.board.board_log import LogIndex
from ictbench.board.conflicts import Identity, IdentityIndex, conflicts, content_digest
from ictbench.board.entries import find_boards, read_board
from ictbench.errors import SubmissionError
from ictbench.records import PluginSpec
from ictbench.results import Result
from ictbench.results.schema import Player
from ictbench.submissions.layout import BoardFolder
from ictbench.submissions.spelling import name_key

if TYPE_CHECKING:
    from pathlib import Path

    from ictbench.board.entries import Entry

READ = {"read": [("0000", "1111"), ("0000", "1110"), ("0000", "1101")]}
OTHER = {"read": [("0000", "1111"), ("0000", "1110"), ("0000", "1011")]}
THIRD = {"read": [("0000", "1111"), ("0000", "1110"), ("0000", "0111")]}


@pytest.fixture
def folder(tmp_path: Path) -> BoardFolder:
    return BoardFolder(tmp_path / "rooms-v1")


def only_entry(folder: BoardFolder) -> Entry:
    (entry,) = read_board(folder).entries
    return entry


def refusal(folder: BoardFolder) -> str:
    """Return why the only submission of a board is a bad entry."""
    board = read_board(folder)
    (bad,) = board.bad
    assert board.entries == ()
    return bad.reason


def test_replayed_submission_is_ranked(folder: BoardFolder) -> None:
    submit(folder, "mine", make_result(READ))
    entry = only_entry(folder)
    assert (entry.slug, entry.section, list(entry.badges.held)) == ("mine", "ranked", ["replayed"])
    assert entry.badges.replayed_share == 1.0


def test_submission_without_replay_waits(folder: BoardFolder) -> None:
    submit(folder, "mine", make_result(READ), badges=())
    assert only_entry(folder).why_unranked == (
        "waiting",
        "the board has not replayed it: its numbers are those of the submitter",
    )


def test_changed_submission_loses_its_badges_with_a_remark(folder: BoardFolder) -> None:
    submit(folder, "mine", make_result(READ), badges=("replayed", "rerun"))
    submit(folder, "mine", make_result(READ), badges=(), description="Something else.")
    entry = only_entry(folder)
    assert (entry.section, entry.badges.held) == ("waiting", {})
    assert entry.badges.remarks == (
        "Changed since it was replayed on 2026-01-02: the badge no longer applies.",
        "Changed since it was rerun on 2026-01-02: the badge no longer applies.",
    )


def test_badge_applies_only_to_its_result(folder: BoardFolder) -> None:
    submission = submit(folder, "mine", make_result(READ), badges=())
    verify(folder, "mine", "replayed", submission, make_result(READ, label="other"))
    assert only_entry(folder).section == "waiting"


def test_failed_checks_give_a_remark_instead_of_a_badge(folder: BoardFolder) -> None:
    submission = submit(folder, "mine", make_result(READ), badges=())
    checks = [{"name": "replay", "verdict": "failed", "detail": "read-1, decision 3: another screen"}]
    verify(folder, "mine", "replayed", submission, make_result(READ), passed=False, checks=checks)
    entry = only_entry(folder)
    assert entry.section == "waiting"
    assert entry.badges.remarks == (
        "Not replayed: checks of 2026-01-02 failed: replay: read-1, decision 3: another screen.",
    )


def test_sample_gives_the_replayed_share(folder: BoardFolder) -> None:
    submission = submit(folder, "mine", make_result(READ), badges=())
    sample = {"episodes": 600, "of": 3000, "decisions": 9000, "sample_seed": "s"}
    verify(folder, "mine", "replayed", submission, make_result(READ), replayed=sample)
    assert only_entry(folder).badges.replayed_share == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("changes", "section", "reason"),
    [
        ({"reflector": PluginSpec(label="blind:rules", name="blind")}, "control", "it is shown no trajectory"),
        ({"reflector_trained_on": ("rooms-v1/read",)}, "trained", "its reflector was trained on held-out read"),
        ({"actor_trained_on": ("rooms-v1/read",)}, "trained", "its actor was trained on held-out read"),
        (
            {"reflector_trained_on": ("rooms-v1/read",), "actor_trained_on": ("rooms-v1/read",)},
            "trained",
            "its reflector was trained on held-out read; its actor was trained on held-out read",
        ),
        ({"deviations": ("turns 2 instead of 5",), "ranked": False}, "shown", "turns 2 instead of 5"),
        ({"complete": False, "owed": 3, "ranked": False}, "shown", "it is incomplete: 3 owed"),
        # Whatever the result says of its rank.
        (
            {"actor": Player(**dict(person("Ada")))},
            "shown",
            "a human baseline, never ranked: its actor is a person, who remembers earlier episodes",
        ),
        ({"roles": {"read": "meta-train"}}, "shown", "the board shows it as it is"),
        (
            {"reflector": PluginSpec(label="openai/gpt-9 (official)", name="rules")},
            "shown",
            "its reflector is labelled 'openai/gpt-9 (official)', but it is 'rules'; run it under its own name",
        ),
        (
            {"actor_trained_on": ("other:\uff32ead",)},
            "shown",
            "trained on 'other:\\uff32ead': write the suite and its family as SUITE/FAMILY, or name what it is",
        ),
        (
            {"reflector_trained_on": ("other:\uff32ead",)},
            "shown",
            "trained on 'other:\\uff32ead': write the suite and its family as SUITE/FAMILY, or name what it is",
        ),
    ],
)
def test_unranked_entry_gives_section_and_reason(
    folder: BoardFolder, changes: dict[str, Any], section: str, reason: str
) -> None:
    submit(folder, "mine", make_result(READ, **changes))
    assert only_entry(folder).why_unranked == (section, reason)


def test_training_stated_only_by_the_submitter_counts(folder: BoardFolder) -> None:
    submit(folder, "mine", make_result(READ, reflector_trained_on=None), reflector_trained_on=("rooms-v1/read",))
    assert only_entry(folder).section == "trained"
    submit(folder, "mine", make_result(READ, reflector_trained_on=None))
    assert (only_entry(folder).section, only_entry(folder).trained_on) == ("ranked", None)
    assert only_entry(folder).actor_trained_on == ()  # a program of ictbench, in a result that does not say so
    submit(folder, "mine", make_result(READ), actor_trained_on=("rooms-v1/read",))
    assert only_entry(folder).why_unranked == ("trained", "its actor was trained on held-out read")


def test_quick_run_is_shown_and_never_ranked(folder: BoardFolder) -> None:
    quick = make_result(READ, profile="quick", ranked=False)
    submit(folder, "small", quick, unranked=True)
    assert only_entry(folder).why_unranked == ("shown", "the quick profile is never ranked")
    submit(folder, "big", make_result(OTHER), unranked=True)
    assert [entry.section for entry in read_board(folder).entries] == ["shown", "shown"]
    submit(folder, "other", make_result(THIRD, profile="quick", ranked=False))
    board = read_board(folder)
    assert [entry.slug for entry in board.entries] == ["big", "small"]
    assert "has profile quick, which is not ranked; move it to unranked/" in board.bad[0].reason


def test_changed_file_is_refused(folder: BoardFolder) -> None:
    submit(folder, "mine", make_result(READ))
    result = folder.submission("mine").result
    result.write_text(result.read_text("utf-8").replace('"lite"', '"lite" '), encoding="utf-8")
    assert "result.json was changed" in refusal(folder)


def test_link_out_of_the_submission_is_refused(folder: BoardFolder, tmp_path: Path) -> None:
    submit(folder, "mine", make_result(READ))
    (tmp_path / "secret").write_text("secret", encoding="utf-8")
    folder.submission("mine").metadata.unlink()
    folder.submission("mine").metadata.symlink_to(tmp_path / "secret")
    assert "symbolic link" in refusal(folder)


@pytest.mark.parametrize("name", ["Mine", "mine ", "a" * 65, "-mine", "mi_ne"])
def test_invalid_folder_name_is_refused(folder: BoardFolder, name: str) -> None:
    submit(folder, "mine", make_result(READ))
    folder.submission("mine").path.rename(folder.submission(name).path)
    assert "is not a valid submission name" in refusal(folder)


def test_submission_of_another_suite_is_refused(folder: BoardFolder) -> None:
    submit(folder, "mine", make_result(READ), suite="halls-v1")
    assert "has another suite or profile" in refusal(folder)


def test_slug_in_two_folders_belongs_to_the_logged_submission(folder: BoardFolder) -> None:
    first = submit(folder, "mine", make_result(READ))
    submit(folder, "mine", make_result(OTHER), unranked=True, name="Another")
    log.append(folder.log, "added", "mine", by="us", reason="new", submission=first.digest)
    board = read_board(folder)
    assert [(entry.slug, entry.submitted) for entry in board.entries] == [("mine", True)]
    assert board.bad[0].reason == "its folder has the name of submissions/mine; rename it"


@pytest.mark.parametrize("name", ["First", "FIRST", "Fir\u0455t", "Ｆｉｒｓｔ", "F-irst", "Flrst", "F1rst"])
def test_names_that_look_alike_are_refused(folder: BoardFolder, name: str) -> None:
    first = submit(folder, "aaa", make_result(READ), name="First")
    identity = Identity.of(folder.submission("aaa"), first, content_digest(make_result(READ)))
    other = replace(identity, folder=folder.submission("zzz"), name=name, name_key=name_key(name), digest="f" * 64)
    assert "looks like 'First', the name of submissions/aaa" in "".join(
        conflicts(other, IdentityIndex([identity]), LogIndex(()))
    )
    submit(folder, "zzz", make_result(OTHER), name="first")
    assert [entry.slug for entry in read_board(folder).entries] == ["aaa"]


def test_copy_under_another_name_label_and_training_is_refused(folder: BoardFolder) -> None:
    first = submit(folder, "victim", make_result(READ))
    log.append(folder.log, "added", "victim", by="us", reason="new", submission=first.digest)
    submit(folder, "a-copy", make_result(READ, "mine", reflector_trained_on=None, versions={"nle": "2"}))
    submit(folder, "another", make_result(OTHER, "mine"))
    board = read_board(folder)
    assert [entry.slug for entry in board.entries] == ["another", "victim"]
    assert board.bad[0].reason == "its prompts and outcomes are those of submissions/victim: it is a copy of that run"


def test_prompts_that_differ_only_in_their_spelling_are_a_copy() -> None:
    result = make_result(READ)
    spelled = copy.deepcopy(result.model_dump(mode="json", by_alias=True))
    for loop in spelled["families"][0]["loops"]:
        loop["prompts"][1]["text"] = " \u0440\u200b1 "
    assert content_digest(Result.model_validate(spelled)) == content_digest(result)
    for loop in spelled["families"][0]["loops"]:
        loop["prompts"][1]["text"] = "p2"
    assert content_digest(Result.model_validate(spelled)) != content_digest(result)


def test_runs_that_never_change_the_prompt_are_no_copies(folder: BoardFolder) -> None:
    result = make_result({"read": [("0000", "0000")] * 3})
    plain = result.model_dump(mode="json", by_alias=True)
    for loop in plain["families"][0]["loops"]:
        loop["prompts"][1] |= {"text": "p0", "digest": loop["prompts"][0]["digest"]}
    for slug in ("none", "silent"):
        submit(folder, slug, Result.model_validate(plain))
    assert [entry.slug for entry in read_board(folder).entries] == ["none", "silent"]


def with_memories(result: Result, *memories: str, text: str = "p0") -> Result:
    """Return a result whose prompts have memories of these digests; all have the same text."""
    content = result.model_dump(mode="json", by_alias=True)
    for family in content["families"]:
        for loop in family["loops"]:
            for prompt, memory in zip(loop["prompts"][1:], memories, strict=True):
                prompt |= {"text": text, "digest": f"{loop['prompts'][0]['digest']}{memory}", "memory": memory}
    return Result.model_validate(content)


def test_learners_that_keep_the_prompt_are_compared_by_their_memories() -> None:
    result = make_result(READ)
    first = content_digest(with_memories(result, "a" * 16))
    assert first is not None
    assert content_digest(with_memories(result, "b" * 16)) != first
    assert content_digest(with_memories(result, "a" * 16)) == first
    assert content_digest(with_memories(result, "a" * 16, text=" \u0440\u200b0 ")) == first
    # A copy of prompts is one whatever is in the memory.
    written = content_digest(with_memories(result, "a" * 16, text="p1"))
    assert content_digest(with_memories(result, "b" * 16, text="p1")) == written != first


def test_removed_submission_does_not_come_back(folder: BoardFolder) -> None:
    first = submit(folder, "mine", make_result(READ), description="First.")
    log.append(folder.log, "added", "mine", by="us", reason="new", submission=first.digest)
    second = submit(folder, "mine", make_result(READ), description="Second.")
    log.append(folder.log, "corrected", "mine", by="us", reason="a link", submission=second.digest)
    assert only_entry(folder).section == "ranked"
    log.append(folder.log, "removed", "mine", by="us", reason="forged")
    # Neither the last form nor an earlier one comes back, not even under another slug.
    for slug, description in (("mine", "Second."), ("mine", "First."), ("other", "First.")):
        digest = submit(folder, slug, make_result(READ), description=description, name="mine").digest
        assert "a removed submission stays removed" in read_board(folder).bad[-1].reason
        with pytest.raises(SubmissionError, match=r"was removed on .* \(forged\): this digest stays removed"):
            log.append(folder.log, "added", slug, by="us", reason="again", submission=digest)


def test_unusable_verification_record_gives_a_remark_and_no_badge(folder: BoardFolder) -> None:
    def remark() -> str:
        entry = only_entry(folder)
        assert (entry.section, entry.badges.held) == ("waiting", {})
        return entry.badges.remarks[0]

    submission = submit(folder, "mine", make_result(READ), badges=())
    verify(folder, "mine", "replayed", submission, make_result(READ), replayed=None)
    assert "is not a record for the badge `replayed`" in remark()
    record = folder.verification("mine", "replayed")
    record.write_text("{}", encoding="utf-8")
    assert "is not a verification record: schema is missing" in remark()
    verify(folder, "mine", "rerun", submission, make_result(READ))
    folder.verification("mine", "rerun").rename(record)
    assert "is not a record for the badge `replayed`" in remark()
    record.unlink()
    record.symlink_to("/dev/zero")
    assert "symbolic link" in remark()


def test_entries_missing_in_the_log_are_listed(folder: BoardFolder) -> None:
    submission = submit(folder, "mine", make_result(READ))
    assert [entry.slug for entry in read_board(folder).unlogged] == ["mine"]
    log.append(folder.log, "added", "mine", by="us", reason="new", submission=submission.digest)
    assert read_board(folder).unlogged == ()
    submit(folder, "mine", make_result(READ), description="Corrected.")
    assert [entry.slug for entry in read_board(folder).unlogged] == ["mine"]


def test_boards_are_listed_by_suite(folder: BoardFolder, tmp_path: Path) -> None:
    with pytest.raises(SubmissionError, match="holds no board"):
        find_boards(tmp_path)
    submit(folder, "mine", make_result(READ))
    (tmp_path / "notes").mkdir()
    assert [board.suite for board in find_boards(tmp_path)] == ["rooms-v1"]


def test_small_sample_or_wide_margin_gives_no_badge(folder: BoardFolder) -> None:
    submission = submit(folder, "mine", make_result(READ), badges=())
    sample = {"episodes": 499, "of": 3000, "decisions": 9000, "sample_seed": "s"}
    verify(folder, "mine", "replayed", submission, make_result(READ), replayed=sample)
    entry = only_entry(folder)
    assert entry.section == "waiting"
    assert entry.badges.remarks == ("Not replayed on 2026-01-02: 499 episodes were replayed; a badge needs 500.",)
    wide = {"loops": (100, 101), "fresh_tasks": True, "measure": "best", "submitted": 0.8, "rerun": 0.2}
    wide |= {"low": -0.7, "high": -0.5, "margin": 0.9}
    verify(folder, "mine", "rerun", submission, make_result(READ), reran=wide)
    assert (
        only_entry(folder).badges.remarks[1]
        == "Not rerun on 2026-01-02: the margin was 0.9; a badge allows at most 0.1."
    )
    predictable = wide | {"margin": 0.1, "low": -0.05, "high": 0.05}
    verify(folder, "mine", "rerun", submission, make_result(READ), reran=predictable)
    assert "its loops were not drawn by a salt" in only_entry(folder).badges.remarks[1]
    verify(folder, "mine", "rerun", submission, make_result(READ), reran=predictable | {"salt": "5a17"})
    assert "rerun" in only_entry(folder).badges.held


def test_a_player_that_a_board_does_not_accept_is_not_ranked(folder: BoardFolder) -> None:
    blind = PluginSpec(label="rules", name="ictbench.reflectors.controls.blind:BlindReflector")
    submit(folder, "mine", make_result(READ, reflector=blind))
    section, reason = only_entry(folder).why_unranked
    assert section == "shown"
    assert "is a class of ictbench under another name" in reason

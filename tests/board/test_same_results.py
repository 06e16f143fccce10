from __future__ import annotations

import shutil
from math import inf
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from boards import verify
from forgery import Forgery, replace_prompt
from honest import SUITE

from ictbench.board import board_log
from ictbench.board.board_tables import board_markdown
from ictbench.board.entries import read_board
from ictbench.board.ranking import rank
from ictbench.board.same_results import same_results
from ictbench.submissions.layout import BoardFolder
from ictbench.submissions.read_submission import read_content
from ictbench.web.board.entry_summary import entry_summary

if TYPE_CHECKING:
    from pathlib import Path

    from ictbench.board.entries import Board
    from ictbench.board.ranking import Track
    from ictbench.submissions.layout import SubmissionFolder


def one_sentence_more(f: Forgery, sentence: str = "Take care.") -> None:
    """Add a sentence to every learned prompt, and recompute all digests and measures."""
    for loop in f.loops():
        for index, prompt in enumerate(loop["prompts"]):
            if prompt["text"] != loop["prompts"][0]["text"] and not prompt["text"].endswith(sentence):
                replace_prompt(f, loop, index, f"{prompt['text']}\n{sentence}")
    f.recompute()


def rename(f: Forgery, slug: str) -> None:
    f.metadata |= {"name": f"Entry {slug}", "submitted_by": f"The people of {slug}"}
    f.result["reflector"] |= {"label": f"{slug}_lab:Mine", "name": f"{slug}_lab:Mine"}
    f.metadata["reflector"]["label"] = f"{slug}_lab:Mine"


def publish(board: BoardFolder, folder: SubmissionFolder) -> None:
    content = read_content(folder)
    verify(board, folder.slug, "replayed", content.submission, content.result)
    board_log.append(board.log, "added", folder.slug, by="us", reason="Replayed.", submission=content.submission.digest)


@pytest.fixture
def copied(honest: SubmissionFolder, tmp_path: Path) -> BoardFolder:
    """Return a board with an honest entry, `original`, and a later copy that is first by name."""
    board = BoardFolder(tmp_path / SUITE)
    shutil.copytree(honest.path, board.submission("original").path)
    publish(board, board.submission("original"))
    forgery = Forgery.of(honest)
    one_sentence_more(forgery)
    rename(forgery, "copy")
    publish(board, forgery.write(board.submission("copy").path))
    return board


def only_track(board: Board) -> Track:
    assert board.bad == ()
    (track,) = rank(board.entries)
    return track


def test_a_copy_with_a_changed_sentence_of_another_submitter_names_the_earlier_entry(copied: BoardFolder) -> None:
    board = read_board(copied)
    track = only_track(board)
    same = {one.entry.slug: one.same_as and one.same_as.slug for one in track.ranked}
    assert same == {"copy": "original", "original": None}
    remark = (
        "the same results as Scripted pair by The authors, which came first: nearly all test episodes under the best "
        "prompts are the same, step by step; both count once in the ranks"
    )
    (copy,) = (one for one in track.ranked if one.entry.slug == "copy")
    assert copy.remarks == [remark]
    assert f"`Entry copy`: `{remark}`" in board_markdown(board, [track])
    assert entry_summary(copy.entry, copy)["remarks"][-1] == remark
    assert [one.ranks for one in track.ranked] == ["1", "1"]


def test_an_entry_with_other_episodes_counts_on_its_own(honest: SubmissionFolder, copied: BoardFolder) -> None:
    """A quarter of the episodes of this one differ in what was seen at one decision."""
    forgery = Forgery.of(honest)
    one_sentence_more(forgery, "Take heed.")
    for record in forgery.episodes[::4]:
        record["trajectory"]["last_digest"] = "0" * 8
    rename(forgery, "other")
    publish(copied, forgery.write(copied.submission("other").path))
    (other,) = (one for one in only_track(read_board(copied)).ranked if one.entry.slug == "other")
    assert (other.same_as, other.remarks) == (None, [])


def stub(slug: str, plays: str, *, added: float = inf, badges: tuple[str, ...] = ("replayed",)) -> Any:
    held = dict.fromkeys(badges)
    by_place = {("read", 0, place): play for place, play in enumerate(plays) if play != "-"}
    return SimpleNamespace(slug=slug, added=added, plays=by_place, badges=SimpleNamespace(held=held))


def found(*entries: Any, outcomes: list[str] | None = None) -> list[str | None]:
    rows = outcomes or ["1" * 20] * len(entries)
    arrays = [[np.array([[float(outcome) for outcome in row]])] for row in rows]
    same = same_results(entries, arrays)
    return [same[entry.slug].slug if entry.slug in same else None for entry in entries]


PLAYS = "abcdefghijklmnopqrst"


def test_the_earlier_entry_of_the_log_is_named_by_all_others() -> None:
    assert found(stub("a", PLAYS), stub("b", PLAYS, added=7), stub("c", PLAYS, added=3)) == ["c", "c", None]


def test_two_of_twenty_episodes_may_differ_and_three_may_not() -> None:
    assert found(stub("a", PLAYS), stub("b", f"{PLAYS[:-2]}xy")) == [None, "a"]
    assert found(stub("a", PLAYS), stub("b", f"{PLAYS[:-3]}xyz")) == [None, None]


def test_episodes_under_the_first_prompt_show_nothing() -> None:
    assert found(stub("a", "-" * 20), stub("b", "-" * 20)) == [None, None]
    assert found(stub("a", f"{PLAYS[:9]}{'-' * 11}"), stub("b", f"{PLAYS[:9]}{'-' * 11}")) == [None, None]
    assert found(stub("a", f"{PLAYS[:10]}{'-' * 10}"), stub("b", f"{PLAYS[:10]}{'-' * 10}")) == [None, "a"]
    assert found(stub("a", PLAYS), stub("b", f"{PLAYS[:10]}{'-' * 10}")) == [None, None]


def test_an_entry_that_the_board_has_not_replayed_is_never_the_earlier_one() -> None:
    assert found(stub("a", PLAYS, added=1, badges=()), stub("b", PLAYS, added=2)) == [None, None]


def test_episodes_are_read_only_of_entries_that_solve_nearly_the_same_tasks() -> None:
    class Unread(SimpleNamespace):
        @property
        def plays(self) -> None:
            raise AssertionError("read")

    badges = SimpleNamespace(held={"replayed": None})
    entries = [Unread(slug=slug, added=inf, badges=badges) for slug in "abc"]
    assert found(*entries, outcomes=["1" * 20, "0" * 20, "10" * 10]) == [None, None, None]

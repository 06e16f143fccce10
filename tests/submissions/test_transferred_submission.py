"""A run that played the prompts of another run, from its submission to the board's table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from boards import verify
from honest import STATEMENT, SUITE

import ictbench
from ictbench.board.entries import read_board
from ictbench.board.examine import check_submission
from ictbench.board.prompt_transfers import prompt_transfers
from ictbench.results.prompt_transfer import prompt_transfer
from ictbench.runs.transferred_prompts import transfer_options
from ictbench.submissions.build_submission import draft, submit
from ictbench.submissions.eligibility import ineligibility
from ictbench.submissions.layout import BoardFolder
from ictbench.submissions.metadata import Statement

if TYPE_CHECKING:
    from pathlib import Path

STATED = Statement(name="Rules for another actor", description="The prompts of rules.", submitted_by="me")


@pytest.fixture(scope="module")
def played(run: ictbench.Run, tmp_path_factory: pytest.TempPathFactory) -> ictbench.Run:
    """The prompts of the honest run, played by another actor."""
    options: dict[str, Any] = transfer_options(str(run.folder))
    return ictbench.run(actor="random", out=tmp_path_factory.mktemp("transferred") / "played", **options)


def test_it_is_submitted_checked_verified_and_tabulated(
    run: ictbench.Run, played: ictbench.Run, tmp_path: Path
) -> None:
    assert list(ineligibility(played.result)) == []
    folder = BoardFolder(tmp_path / "boards" / SUITE)
    for one, stated in ((run, STATEMENT), (played, STATED)):
        submit(draft(one, folder.path.parent, stated), check_submission, git=False)
    place = folder.submission("rules-for-another-actor")
    assert ictbench.verify(place.path, sample=40, executor="inline").passed
    waiting = read_board(folder).entries
    assert list(prompt_transfers(waiting)) == []
    for entry in waiting:
        verify(folder, entry.slug, "replayed", entry.submission, entry.read().result)
    board = read_board(folder)
    assert not board.bad
    sections = {entry.slug: entry.why_unranked for entry in board.entries}
    assert sections["rules-for-another-actor"] == ("control", "its prompts were learned with another actor")
    ((source, plays, transfer),) = prompt_transfers(board.entries)
    assert (source.slug, plays.slug) == ("scripted-pair", "rules-for-another-actor")
    assert transfer == prompt_transfer(run.result, played.result)


def test_turns_and_batch_size_are_no_reason_against_it(played: ictbench.Run) -> None:
    quick = played.result.model_copy(
        update={
            "profile": "quick",
            "deviations": ("turns 2 instead of 6", "batch_size 1 instead of 3", "loops 5 instead of 3"),
        }
    )
    (problem,) = ineligibility(quick)
    assert problem.endswith("run with --profile lite or standard, without --loops")

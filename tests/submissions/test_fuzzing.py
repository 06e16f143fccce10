"""Random edits of whole submissions, with and without consistent sums: no crash, and no forgery is accepted.

`ICTBENCH_FUZZ=N` tries N submissions, drawn at random; without it, a few that are always the same. `make fuzz` tries
many.
"""

from __future__ import annotations

import json
import os
import shutil
import zlib
from gzip import BadGzipFile
from typing import TYPE_CHECKING, Any

import pytest
from attacks import attacked_submission
from boards import verify
from forgery import Forgery
from honest import SUITE
from hostile_edits import edits, make_consistent
from hypothesis import HealthCheck, Phase, event, given, settings
from hypothesis import strategies as st

import ictbench
from ictbench.board.board_tables import board_tables, write_tables
from ictbench.board.entries import read_board
from ictbench.board.examine import check_submission
from ictbench.board.fault_isolation import rank_board
from ictbench.submissions.layout import BoardFolder
from ictbench.submissions.read_submission import read_content
from ictbench.submissions.spelling import is_hidden
from ictbench.web.board.board_page import board_document

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from forgery import Json

    from ictbench.submissions.layout import SubmissionFolder

BUDGET = int(os.environ.get("ICTBENCH_FUZZ", "0"))
FEW = 30

fuzzing = settings(
    max_examples=BUDGET or FEW,
    derandomize=not BUDGET,
    database=None,
    deadline=None,
    phases=(Phase.generate,) if BUDGET else tuple(Phase),
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def honest(shared_folder: Path) -> Iterator[SubmissionFolder]:
    folder = shared_folder / "attacked"
    folder.mkdir(exist_ok=True)
    with attacked_submission(folder) as submission:
        yield submission


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzzed")


@fuzzing
@given(
    drawn=edits, consistent=st.booleans(), derived=st.booleans(), checksum=st.sampled_from([True, True, True, False])
)
def test_no_edit_stops_a_check_or_is_accepted_as_a_forgery(
    honest: SubmissionFolder, scratch: Path, drawn: list[Any], consistent: bool, derived: bool, checksum: bool
) -> None:
    shutil.rmtree(scratch, ignore_errors=True)
    board = BoardFolder(scratch / SUITE)
    forgery = Forgery.of(honest)
    forgery.derived, forgery.checksum = derived, checksum
    try:
        for function, arguments in drawn:
            function(forgery, *arguments)
        if consistent:
            make_consistent(forgery)
        folder = forgery.write(board.submission("fuzzed").path)
    except (ValueError, TypeError, AttributeError, LookupError, BadGzipFile, EOFError, zlib.error):
        event("edited into something that cannot be written, or edited further")
        return
    problems = list(check_submission(folder, SUITE))
    event("refused" if problems else "accepted")
    for problem in problems:
        assert "it cannot be checked" not in problem, problem
        assert not any(is_hidden(character) for character in problem), problem
    if not problems:
        assert_shown(board, folder)
        assert_no_forgery(folder, honest)
    assert_board_survives(board)


def assert_board_survives(board: BoardFolder) -> None:
    """Read, rank and print the board, whatever it holds."""
    read, tracks = rank_board(read_board(board))
    json.dumps(board_document(read, tracks), allow_nan=False)
    board_tables(read, tracks)


def assert_shown(board: BoardFolder, folder: SubmissionFolder) -> None:
    """Check that a submission without a problem stands on the board, in visible characters, also once replayed."""
    content = read_content(folder)
    verify(board, folder.slug, "replayed", content.submission, content.result)
    read, tracks = rank_board(read_board(board))
    assert read.bad == ()
    write_tables(read, tracks, board.tables)
    for path in board.tables.iterdir():
        assert not any(is_hidden(c) and c != "\n" for c in path.read_text("utf-8").replace("\r\n", "\n")), path.name


def assert_no_forgery(folder: SubmissionFolder, honest: SubmissionFolder) -> None:
    """Check that episodes were played, unless a replay refuses them, and that the result follows from them."""
    stated, original = Forgery.of(folder), Forgery.of(honest)
    recomputed = Forgery.of(folder)
    recomputed.recompute()
    assert stated.result["by_role"] == recomputed.result["by_role"]
    assert stated.result["families"] == recomputed.result["families"]
    assert stated.result["suite"] == original.result["suite"]
    played = set(map(play_of, original.episodes))
    if not played.issuperset(map(play_of, stated.episodes)):
        assert not ictbench.verify(folder.path, sample="all", workers=1, executor="inline").passed


def play_of(record: Json) -> str:
    """Return what a replay shows: the task, its observations, actions, keys and rewards, and the end."""
    trajectory = record["trajectory"]
    steps = [
        [step["digest"], step["executed"], step.get("keys", []), float(step.get("reward", 0))]
        for step in trajectory["steps"]
    ]
    return json.dumps([record["task"], record["seed"], steps, trajectory["last_digest"], trajectory["end"]])

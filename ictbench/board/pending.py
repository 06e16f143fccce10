"""Submissions that the log of a board does not know: what its CI has to replay."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ictbench.board.board_log import read_log
from ictbench.board.entries import MAX_ENTRIES, find_boards
from ictbench.submissions.layout import SubmissionFolder
from ictbench.submissions.read_submission import read_content
from ictbench.submissions.safe_read import list_folder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def pending(leaderboards: Path) -> Iterator[SubmissionFolder]:
    """Yield the submissions whose digest no line of the log holds: neither added, corrected, refused nor removed.

    Raises:
        SubmissionError: A board, a log or a submission cannot be read.
    """
    for board in find_boards(leaderboards):
        known = {line.submission for line in read_log(board.log)}
        for slug in list_folder(board.submissions, MAX_ENTRIES) if board.submissions.is_dir() else ():
            folder = SubmissionFolder(board.submissions / slug)
            if read_content(folder).submission.digest not in known:
                yield folder

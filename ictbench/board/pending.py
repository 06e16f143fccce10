"""Submissions that the log of a board does not know: what its CI has to replay."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ictbench.board.board_log import read_log
from ictbench.board.entries import MAX_ENTRIES, find_boards
from ictbench.errors import SubmissionError
from ictbench.safe_read import list_folder
from ictbench.submissions.layout import SubmissionFolder
from ictbench.submissions.metadata import slug_problem
from ictbench.submissions.read_submission import read_content

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def pending(leaderboards: Path) -> Iterator[SubmissionFolder]:
    """Yield the submissions whose digest no line of the log holds: neither added, corrected, refused nor removed.

    Those that cannot be read, or whose folder has no valid name, are left out.

    Raises:
        SubmissionError: A board or a log cannot be read.
    """
    for board in find_boards(leaderboards):
        known = {line.submission for line in read_log(board.log)}
        for slug in list_folder(board.submissions, MAX_ENTRIES) if board.submissions.is_dir() else ():
            if slug_problem(slug):
                continue  # scripts read the printed paths, and a name could be an option or hold a line feed
            folder = SubmissionFolder(board.submissions / slug)
            try:
                digest = read_content(folder).submission.digest
            except SubmissionError:
                continue  # `validate` says why, and the others are replayed all the same
            if digest not in known:
                yield folder

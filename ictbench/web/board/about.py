"""What every page of the site says about its board: method, submission, citation, licence, last update, repository."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from ictbench._version import __version__
from ictbench.board.board_log import head
from ictbench.errors import SubmissionError
from ictbench.records import Record
from ictbench.submissions.submission_schema import Line, WebLink
from ictbench.validation import validation_message
from ictbench.web.board.bibtex import SOFTWARE_AUTHOR, bibtex_entry, paper_entry
from ictbench.yaml_file import read_yaml

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date
    from pathlib import Path

    from ictbench.board.entries import Board, Entry

    Json = dict[str, Any]

FILE_NAME = "about.yaml"
SHOWN_HASH_DIGITS = 16


class About(Record):
    """Statements of the boards' maintainers, from `about.yaml` in the folder of the boards; each may be missing."""

    repository: WebLink | None = None
    """Address of the repository that holds the boards, where submissions are proposed."""
    docs: WebLink | None = None
    """Address of the documentation."""
    evidence: WebLink | None = None
    """Address of the folder of the boards, with the files of all entries; without it, the site holds copies."""
    licence: Line | None = None
    """Licence of the entries and tables."""
    authors: Line = SOFTWARE_AUTHOR
    """Whom to cite for the boards."""


def read_about(leaderboards: Path) -> About:
    """Return the statements about the boards in a folder; without a file, none.

    Raises:
        SubmissionError: The file cannot be read, or a value is not valid.
    """
    path = leaderboards / FILE_NAME
    if not path.is_file():
        return About()
    try:
        return About.model_validate(read_yaml(path) or {})
    except ValidationError as error:
        raise SubmissionError(f"{path}: {validation_message(error)}") from error
    except ValueError as error:
        raise SubmissionError(f"{path}: {error}") from error


def about_document(about: About, boards: Sequence[Board]) -> Json:
    """Return what a page says about the boards that it shows."""
    last = max(filter(None, map(last_update, boards)), default=None)
    suite = boards[0].suite if len(boards) == 1 else None
    return {
        "ictbench": __version__,
        "updated": last.isoformat() if last else None,
        "suite": suite,
        "repository": about.repository,
        "docs": about.docs,
        "licence": about.licence,
        "bibtex": f"{_cite_boards(about, boards, last)}\n\n{paper_entry()}\n",
    }


def about_entry(about: About, board: Json, entry: Entry) -> Json:
    """Return what the page of an entry says: its citation, and the document `board` of its board."""
    return board | {"bibtex": f"{_cite_entry(about, entry)}\n\n{board['bibtex']}"}


def last_update(board: Board) -> date | None:
    """Return the day of the newest line of a board's log, else of its newest entry; it does not depend on the build."""
    if board.log:
        return board.log[-1].date.date()
    return max((entry.submission.date for entry in board.entries), default=None)


def _cite_boards(about: About, boards: Sequence[Board], last: date | None) -> str:
    suites = [board.suite for board in boards]
    state = [f"state of {last}"] if last else []
    if len(boards) == 1 and boards[0].log:
        state.append(f"log {head(boards[0].folder.log)[:SHOWN_HASH_DIGITS]}")
    return bibtex_entry(
        "-".join(["ictbench", *suites]) if len(suites) == 1 else "ictbench-leaderboard",
        {
            "title": f"ictbench leaderboard {suites[0]}" if len(suites) == 1 else "ictbench leaderboard",
            "author": about.authors,
            "year": str(last.year) if last else None,
            "note": ", ".join([*state, f"ictbench {__version__}"]),
            "url": about.repository,
        },
    )


def _cite_entry(about: About, entry: Entry) -> str:
    submission = entry.submission
    return bibtex_entry(
        f"ictbench-{submission.suite}-{entry.slug}",
        {
            "title": f"{submission.name}: entry of the ictbench leaderboard {submission.suite}",
            "author": submission.submitted_by,
            "year": str(submission.date.year),
            "note": f"submission {submission.digest[:SHOWN_HASH_DIGITS]}, profile {submission.profile}",
            "url": about.repository,
        },
    )

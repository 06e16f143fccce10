"""Validation of boards from data alone: names in a submission are never looked up or imported."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from ictbench.board.badges import BADGES, read_record
from ictbench.board.board_log import LogIndex, read_log
from ictbench.board.conflicts import IdentityIndex, conflicts
from ictbench.board.entries import no_board
from ictbench.board.examine import examine_all
from ictbench.board.finding_cache import NO_CACHE
from ictbench.board.parallel import no_progress
from ictbench.errors import SubmissionError
from ictbench.safe_read import list_folder
from ictbench.submissions.evidence_location import read_stores
from ictbench.submissions.layout import BoardFolder, SubmissionFolder
from ictbench.submissions.pull_request import forbidden_changes
from ictbench.suites import shipped_suites
from ictbench.visible_text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from ictbench.board.conflicts import Identity
    from ictbench.board.finding_cache import FindingCache
    from ictbench.board.parallel import OnProgress

MAX_SUBMISSIONS = 10_000
MAX_RECORDS = 16
"""Maximum files in the folder of a submission's verification records."""
MAX_CHARACTERS = 1000
"""Maximum characters of a problem's text."""


class Problem(NamedTuple):
    """Problem of a board, in one line of visible characters."""

    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


def validate(
    leaderboards: Path,
    slug: str | None = None,
    *,
    findings: FindingCache = NO_CACHE,
    on_progress: OnProgress = no_progress,
) -> Iterator[Problem]:
    """Check every board in a folder, with its records, on all cores.

    Args:
        leaderboards: Folder with one board per suite.
        slug: Check only entries of this name.
        findings: What earlier calls found.
        on_progress: Called after each submission.

    Raises:
        SubmissionError: The folder cannot be read or holds no board, or no board has a submission of that name.
    """
    found = boards = False
    for name in list_folder(leaderboards, MAX_SUBMISSIONS):
        board = BoardFolder(leaderboards / name)
        boards |= any(os.path.lexists(place) for place in (board.submissions, board.unranked))
        try:
            folders = _folders(board)
        except SubmissionError as error:
            found = True
            yield _problem(leaderboards, board.path, str(error))
            continue
        yield from (_problem(leaderboards, board.path, text) for text in _record_problems(board))
        chosen = [folder for folder in folders if slug in (None, folder.slug)]
        if not chosen:
            continue
        found = True
        examined = examine_all(board, folders, chosen, findings, on_progress)
        for folder, one in zip(folders, examined, strict=True):
            yield from (_problem(leaderboards, folder.path, text) for text in one.problems)
        for folder, text in _conflicts(board, chosen, [one.identity for one in examined if one.identity]):
            yield _problem(leaderboards, folder.path, text)
    if not found and not boards:
        raise no_board(leaderboards)
    if not found and slug is not None:
        raise SubmissionError(f"{leaderboards} holds no submission {slug!r}")


def validate_changes(leaderboards: Path, base: str, *, maintainer: bool = False) -> Iterator[Problem]:
    """Check the changes between `base` and HEAD; see `ictbench.submissions.pull_request`.

    Raises:
        SubmissionError: The folder is not in a git checkout, or `base` is not one of its commits.
    """
    return (
        Problem(one_line(f"since {base}"), one_line(text))
        for text in forbidden_changes(leaderboards, base, maintainer=maintainer)
    )


def _folders(board: BoardFolder) -> list[SubmissionFolder]:
    """Return the submissions of a board to check; empty if the folder is not a board."""
    places = [place for place in (board.submissions, board.unranked) if os.path.lexists(place)]
    if places and board.suite not in shipped_suites():
        raise SubmissionError(f"{board.suite!a} is not a suite (suites: {', '.join(shipped_suites())})")
    for folder in (board.path, *places) if places else ():
        list_folder(folder, MAX_SUBMISSIONS)
    return [SubmissionFolder(place / name) for place in places for name in list_folder(place, MAX_SUBMISSIONS)]


def _record_problems(board: BoardFolder) -> Iterator[str]:
    """Yield the problems of a board's log, stores and verification records."""
    for read in (lambda: read_log(board.log), lambda: read_stores(board)):
        try:
            read()
        except SubmissionError as error:
            yield str(error)
    try:
        slugs = list_folder(board.verifications, MAX_SUBMISSIONS) if os.path.lexists(board.verifications) else []
    except SubmissionError as error:
        yield str(error)
        return
    for slug in slugs:
        try:
            names = list_folder(board.verifications / slug, MAX_RECORDS)
            for badge in BADGES:
                if (path := board.verification(slug, badge)).name in names:
                    read_record(path, badge)
        except SubmissionError as error:
            yield str(error)


def _conflicts(
    board: BoardFolder, chosen: Sequence[SubmissionFolder], identities: Sequence[Identity]
) -> Iterator[tuple[SubmissionFolder, str]]:
    """Yield the conflicts of the chosen submissions with any of the board; those that cannot be read have none."""
    try:
        log = LogIndex(read_log(board.log))
    except SubmissionError:
        log = LogIndex(())
    index, paths = IdentityIndex(identities), {folder.path for folder in chosen}
    for one in identities:
        if one.folder.path in paths:
            yield from ((one.folder, text) for text in conflicts(one, index, log))


def _problem(leaderboards: Path, place: Path, text: str) -> Problem:
    line = one_line(text.replace(f"{place}/", "")[:MAX_CHARACTERS])
    return Problem(one_line(str(place.relative_to(leaderboards))), line)

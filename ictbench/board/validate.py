"""Validation of boards from data alone: names in a submission are never looked up or imported."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from ictbench.audit.prompt_leaks import check_leaks
from ictbench.audit.recompute import recompute
from ictbench.audit.result_checks import make_plans
from ictbench.audit.shown_checks import check_shown
from ictbench.board.badges import BADGES, read_record
from ictbench.board.board_log import LogIndex, read_log
from ictbench.board.conflicts import Identity, conflicts
from ictbench.errors import SubmissionError, UsageError
from ictbench.safe_read import list_folder
from ictbench.submissions.eligibility import ineligibility
from ictbench.submissions.layout import BoardFolder, SubmissionFolder
from ictbench.submissions.metadata import metadata_mismatches, slug_problem
from ictbench.submissions.pack import without_host
from ictbench.submissions.player_labels import label_problems
from ictbench.submissions.pull_request import forbidden_changes
from ictbench.submissions.read_submission import read_content
from ictbench.submissions.truthfulness import untrue_statements
from ictbench.suites import load_suite, shipped_suites
from ictbench.visible_text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from ictbench.audit.verification import Check
    from ictbench.submissions.read_submission import SubmissionContent

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


def validate(leaderboards: Path, slug: str | None = None) -> Iterator[Problem]:
    """Check every board in a folder, with its records; of its entries only those named `slug`, if given.

    Raises:
        SubmissionError: The folder cannot be read, or no board has a submission of that name.
    """
    found = False
    for name in list_folder(leaderboards, MAX_SUBMISSIONS):
        board = BoardFolder(leaderboards / name)
        try:
            folders = _folders(board)
        except SubmissionError as error:
            found = True
            yield _problem(leaderboards, board.path, str(error))
            continue
        yield from (_problem(leaderboards, board.path, text) for text in _record_problems(board))
        chosen = [folder for folder in folders if slug in (None, folder.slug)]
        found = found or bool(chosen)
        identities: list[Identity] = []
        for folder in chosen:
            problems = _checked(folder, name, folder.path.parent == board.submissions, identities)
            yield from (_problem(leaderboards, folder.path, text) for text in problems)
        for one, text in _conflicts(board, folders, chosen, identities):
            yield _problem(leaderboards, one.folder.path, text)
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
    """Yield the problems of a board's log and verification records."""
    try:
        read_log(board.log)
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
    board: BoardFolder,
    folders: Sequence[SubmissionFolder],
    chosen: Sequence[SubmissionFolder],
    identities: list[Identity],
) -> Iterator[tuple[Identity, str]]:
    """Yield the conflicts of the chosen submissions with any of the board; those that cannot be read have none."""
    others = list(identities)
    for folder in folders if chosen else ():
        if folder not in chosen:
            with suppress(Exception):  # the check of that submission reports it
                content = read_content(folder)
                others.append(Identity.of(folder, content.submission, content.result))
    try:
        log = LogIndex(read_log(board.log))
    except SubmissionError:
        log = LogIndex(())
    for one in identities:
        yield from ((one, text) for text in conflicts(one, others, log))


def check_submission(folder: SubmissionFolder, suite: str, *, submitted: bool = True) -> Iterator[str]:
    """Yield the problems of one submission to the board of a suite; nothing in it is executed.

    The checks are, in this order: name and files, whether the board accepts such a run, and everything that can be
    recomputed from the records.

    Args:
        folder: The submission.
        suite: Name of the board's suite.
        submitted: False for an entry that the board shows without a rank; its run may be of any profile.
    """
    yield from _checked(folder, suite, submitted, [])


def _checked(folder: SubmissionFolder, suite: str, submitted: bool, identities: list[Identity]) -> Iterator[str]:
    """Yield the problems of one submission, and add its identity to a list if it can be read."""
    if problem := slug_problem(folder.slug):
        yield problem
        return
    try:
        content = read_content(folder)
        identities.append(Identity.of(folder, content.submission, content.result))
        yield from _submission_problems(content, suite, submitted=submitted)
    except UsageError as error:
        yield str(error)
    except Exception as error:  # a submission may hold anything, and never stops the check of the others
        yield f"it cannot be checked: {type(error).__name__}: {error}"


def _submission_problems(content: SubmissionContent, suite: str, *, submitted: bool) -> Iterator[str]:
    submission, result = content.submission, content.result
    problems = [*_suite_mismatch(submission.suite, suite), *metadata_mismatches(submission, result)]
    problems += [*ineligibility(result, unranked=not submitted), *label_problems(result), *untrue_statements(result)]
    if result.host != without_host(result).host:
        problems.append("host of the result holds details of a machine, which a submission leaves out; submit again")
    yield from problems
    if not problems:
        yield from _content_problems(content, suite)


def _suite_mismatch(stated: str, suite: str) -> Iterator[str]:
    if stated != suite:
        yield f"its suite is {stated!r:.80}, but it is on the board of {suite}"


def _content_problems(content: SubmissionContent, suite: str) -> Iterator[str]:
    evidence, installed = content.evidence, load_suite(suite)
    failed = _failed(recompute(evidence, installed))
    if not failed:
        failed = _failed(check_leaks(evidence, installed, make_plans(evidence.result, installed)))
        failed += _failed([check_shown(evidence)])
    yield from (f"{check.name}: {check.detail}" for check in failed)


def _failed(checks: Iterable[Check]) -> list[Check]:
    return [check for check in checks if check.verdict == "failed"]


def _problem(leaderboards: Path, place: Path, text: str) -> Problem:
    line = one_line(text.replace(f"{place}/", "")[:MAX_CHARACTERS])
    return Problem(one_line(str(place.relative_to(leaderboards))), line)

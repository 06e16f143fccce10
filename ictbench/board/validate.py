"""Whether boards hold what they should. Only data is read: names in a submission are never looked up or imported."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from ictbench.audit.prompt_leaks import check_leaks
from ictbench.audit.recompute import recheck
from ictbench.audit.result_checks import make_plans
from ictbench.board.badges import BADGES, read_record
from ictbench.board.board_log import read_log
from ictbench.errors import SubmissionError, UsageError
from ictbench.results.formatting import one_line
from ictbench.submissions.eligibility import ineligibility
from ictbench.submissions.layout import BoardFolder, SubmissionFolder
from ictbench.submissions.metadata import metadata_mismatches, slug_problem
from ictbench.submissions.pull_request import forbidden_changes
from ictbench.submissions.read_submission import evidence_of_submission, read_submission, read_trajectories
from ictbench.submissions.safe_read import list_folder
from ictbench.submissions.shown_episodes import shown_episode_keys, shown_episode_problems
from ictbench.suites import list_suites, load_suite

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from ictbench.audit.verification import Check
    from ictbench.submissions.episode_records import Evidence

MAX_SUBMISSIONS = 10_000
MAX_RECORDS = 16
"""Files in a folder of the board's verifications of one submission."""
MAX_CHARACTERS = 1000
"""Of a problem in words."""


class Problem(NamedTuple):
    """Something that is wrong with a board, in one line without anything invisible."""

    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


def validate(leaderboards: Path, slug: str | None = None) -> Iterator[Problem]:
    """Check every board in a folder with its own records, or of its entries those of one name only.

    Raises:
        SubmissionError: it cannot be read, or no board has a submission of that name.
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
        yield from (_problem(leaderboards, board.path, what) for what in _own_records(board))
        for folder in folders:
            if slug in (None, folder.slug):
                found = True
                submitted = folder.path.parent == board.submissions
                problems = check_submission(folder, name, submitted=submitted)
                yield from (_problem(leaderboards, folder.path, what) for what in problems)
    if not found and slug is not None:
        raise SubmissionError(f"{leaderboards} holds no submission {slug!r}")


def validate_changes(leaderboards: Path, base: str, *, maintainer: bool = False) -> Iterator[Problem]:
    """Check what the commits since `base` change; see `ictbench.submissions.pull_request`.

    Raises:
        SubmissionError: this is no git checkout, or `base` is no commit of it.
    """
    return (
        Problem(one_line(f"since {base}"), one_line(what))
        for what in forbidden_changes(leaderboards, base, maintainer=maintainer)
    )


def _folders(board: BoardFolder) -> list[SubmissionFolder]:
    """What lies on a board to be checked; nothing where a folder is no board."""
    places = [place for place in (board.submissions, board.unranked) if os.path.lexists(place)]
    if places and board.suite not in list_suites():
        raise SubmissionError(f"{board.suite!a} is no suite; there is {', '.join(list_suites())}")
    for folder in (board.path, *places) if places else ():
        list_folder(folder, MAX_SUBMISSIONS)
    return [SubmissionFolder(place / name) for place in places for name in list_folder(place, MAX_SUBMISSIONS)]


def _own_records(board: BoardFolder) -> Iterator[str]:
    """What is wrong with the board's log and verifications."""
    try:
        read_log(board.log)
    except SubmissionError as error:
        yield str(error)
    try:
        slugs = list_folder(board.verifications, MAX_SUBMISSIONS) if os.path.lexists(board.verifications) else []
        for slug in slugs:
            there = list_folder(board.verifications / slug, MAX_RECORDS)
            for badge in BADGES:
                if (path := board.verification(slug, badge)).name in there:
                    read_record(path, badge)
    except SubmissionError as error:
        yield str(error)


def check_submission(folder: SubmissionFolder, suite: str, *, submitted: bool = True) -> Iterator[str]:
    """What is wrong with one submission to the board of a suite, in words; nothing of it is run.

    First its name and its files, then whether the board takes such a run, then everything that can be worked out anew.
    What was not submitted but put among the unranked by the board itself may be a run that it would not take.
    """
    if trouble := slug_problem(folder.slug):
        yield trouble
        return
    try:
        submission = read_submission(folder)
        evidence = evidence_of_submission(folder)
        framed = [*_frame(submission.suite, suite), *metadata_mismatches(submission, evidence.result)]
        framed += ineligibility(evidence.result, unranked=not submitted)
        yield from framed
        if not framed:
            yield from _content(folder, evidence, suite)
    except UsageError as error:
        yield str(error)


def _frame(stated: str, suite: str) -> Iterator[str]:
    if stated != suite:
        yield f"it is of suite {stated!r:.80} and lies on the board of {suite}"


def _content(folder: SubmissionFolder, evidence: Evidence, suite: str) -> Iterator[str]:
    ours = load_suite(suite)
    failed = _failed(recheck(evidence, ours))
    if not failed:
        failed = _failed(check_leaks(evidence, ours, make_plans(evidence.result, ours)))
        yield from _trajectories(folder, evidence)
    yield from (f"{check.name}: {check.detail}" for check in failed)


def _failed(checks: Iterable[Check]) -> list[Check]:
    return [check for check in checks if check.verdict == "failed"]


def _trajectories(folder: SubmissionFolder, evidence: Evidence) -> Iterator[str]:
    wanted = shown_episode_keys(evidence.result)
    episodes = list(read_trajectories(folder))
    name = folder.trajectories.name
    if (found := [episode.key for episode in episodes]) != wanted:
        strange = next((key for key in found if key not in wanted), None) or "none of " + str(len(wanted))
        yield f"{name} does not hold the episodes that the result names, but e.g. {strange!r:.80}; submit the run again"
        return
    chosen = {*wanted}
    records = {record.key: record for record in evidence.episodes() if record.key in chosen}
    for episode in episodes:
        yield from (f"{name}: {episode.key}: {what}" for what in shown_episode_problems(episode, records[episode.key]))


def _problem(leaderboards: Path, place: Path, what: str) -> Problem:
    said = one_line(what.replace(f"{place}/", "")[:MAX_CHARACTERS])
    return Problem(one_line(str(place.relative_to(leaderboards))), said)

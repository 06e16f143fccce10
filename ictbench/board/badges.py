"""Badges: what the board itself found out about a submission. Nothing that a submission says gives it one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, get_args

from pydantic import ValidationError

from ictbench.audit.verification import ENOUGH, MARGIN, Verification
from ictbench.errors import SubmissionError
from ictbench.records import validation_message
from ictbench.submissions.layout import Badge
from ictbench.submissions.safe_read import read_bytes

if TYPE_CHECKING:
    from pathlib import Path

    from ictbench.results import Result
    from ictbench.submissions.layout import BoardFolder
    from ictbench.submissions.submission_schema import Submission

BADGES: tuple[Badge, ...] = get_args(Badge)
MAX_RECORD_BYTES = 1_000_000
"""Of a record of the board, which is a few kilobytes."""

PROVES: dict[Badge, str] = {
    "replayed": "The recorded actions, played again in the real environment, led to the recorded observations, rewards "
    "and ends; the measures follow from them.",
    "rerun": "A maintainer ran the actor and the reflector again, and the mean of best over held-out families was the "
    "same within the stated margin.",
}
PROVES_NOT: dict[Badge, str] = {
    "replayed": "That the named models chose these actions and wrote these prompts: somebody else, or a program that "
    "reads the game, could have.",
    "rerun": "That every number would come out the same, or that the result holds beyond these families.",
}


@dataclass(frozen=True, slots=True)
class Badges:
    """What the board's records say of the submission as it is now."""

    held: dict[Badge, Verification]
    remarks: tuple[str, ...]
    """Why a record that is there gives no badge."""

    @property
    def replayed_share(self) -> float:
        """Of the episodes that were played again: 0 without the badge, below 1 for a sample."""
        record = self.held.get("replayed")
        return record.replayed.episodes / record.replayed.of if record and record.replayed else 0.0


def read_badges(board: BoardFolder, slug: str, submission: Submission, result: Result) -> Badges:
    """The badges of a submission.

    Raises:
        SubmissionError: a record of the board cannot be read.
    """
    digest, checksum = submission.digest, result.checksum
    held: dict[Badge, Verification] = {}
    remarks: list[str] = []
    for badge in BADGES:
        path = board.verification(slug, badge)
        if not path.exists():
            continue
        record = read_record(path, badge)
        if (record.submission, record.result) != (digest, checksum):
            remarks.append(f"Changed since it was {badge} on {record.date:%Y-%m-%d}: that badge is gone.")
        elif not record.passed:
            failed = next((check for check in record.checks if check.verdict == "failed"), None)
            why = f": {failed.name}: {failed.detail}" if failed else ""
            remarks.append(f"Not {badge}, as checks of {record.date:%Y-%m-%d} failed{why}.")
        elif too_little := _too_little(record):
            remarks.append(f"Not {badge} on {record.date:%Y-%m-%d}: {too_little}.")
        else:
            held[badge] = record
    return Badges(held, tuple(remarks))


def _too_little(record: Verification) -> str:
    """Why a record that passed is not enough for a badge; empty if it is."""
    if record.replayed and record.replayed.episodes < (needed := min(ENOUGH, record.replayed.of)):
        return f"{record.replayed.episodes} episodes were played again, and a badge needs {needed}"
    if record.reran and record.reran.margin > MARGIN:
        return f"the margin was {record.reran.margin:g}, and a badge allows {MARGIN:g}"
    return ""


def read_record(path: Path, badge: Badge) -> Verification:
    """A record of the board.

    Raises:
        SubmissionError: it cannot be read, or is of something else.
    """
    try:
        record = Verification.model_validate_json(read_bytes(path, MAX_RECORD_BYTES))
    except ValidationError as error:
        raise SubmissionError(f"{path} is no record of a verification: {validation_message(error)}") from error
    played = record.replayed.episodes if record.replayed else 0
    if record.badge != badge or (record.passed and not (played if badge == "replayed" else record.reran)):
        raise SubmissionError(f"{path} is no record of what was {badge}; have it made again")
    return record

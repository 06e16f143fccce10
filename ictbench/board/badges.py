"""Badges of a submission, from the board's own verification records only."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, get_args

from pydantic import ValidationError

from ictbench.audit.verification import Verification
from ictbench.errors import SubmissionError
from ictbench.safe_read import read_bytes
from ictbench.submissions.layout import Badge
from ictbench.validation import validation_message

if TYPE_CHECKING:
    from pathlib import Path

    from ictbench.submissions.layout import BoardFolder

BADGES: tuple[Badge, ...] = get_args(Badge)
MAX_RECORD_BYTES = 1_000_000
"""Maximum size of a verification record, which has a few kilobytes."""

PROVES: dict[Badge, str] = {
    "replayed": "The recorded actions, replayed in the real environment, lead to the recorded observations, rewards "
    "and ends; the measures follow from them.",
    "rerun": "A maintainer ran the actor and the reflector again, on loops that the submitter could not predict, and "
    "the mean of best over held-out families was the same within the stated margin.",
}
PROVES_NOT: dict[Badge, str] = {
    "replayed": "That the named models chose these actions and wrote these prompts: another model, a person or a "
    "program that reads the game could have done it.",
    "rerun": "That every number would come out the same, or that the result holds beyond these families.",
}


@dataclass(frozen=True, slots=True)
class Badges:
    """Badges of a submission in its present form."""

    held: dict[Badge, Verification]
    remarks: tuple[str, ...]
    """Why an existing record gives no badge."""

    @property
    def replayed_share(self) -> float:
        """Share of episodes that were replayed: 0 without the badge, below 1 for a sample."""
        record = self.held.get("replayed")
        return record.replayed.episodes / record.replayed.of if record and record.replayed else 0.0

    @property
    def shown_replayed(self) -> int:
        """Number of the episodes shown in full whose texts the board compared with its replay."""
        record = self.held.get("replayed")
        return record.replayed.shown if record and record.replayed else 0


def read_badges(board: BoardFolder, slug: str, digest: str, checksum: str) -> Badges:
    """Read the badges of a submission, by its digest and the checksum of its result.

    A verification record that cannot be read gives a remark and no badge.
    """
    held: dict[Badge, Verification] = {}
    remarks: list[str] = []
    for badge in BADGES:
        path = board.verification(slug, badge)
        if not os.path.lexists(path):
            continue
        try:
            record = read_record(path, badge)
        except SubmissionError as error:
            remarks.append(f"Not {badge}: the board's record cannot be used: {error}.")
            continue
        if (record.submission, record.result) != (digest, checksum):
            remarks.append(f"Changed since it was {badge} on {record.date:%Y-%m-%d}: the badge no longer applies.")
        elif not record.passed:
            failed = next((check for check in record.checks if check.verdict == "failed"), None)
            reason = f": {failed.name}: {failed.detail}" if failed else ""
            remarks.append(f"Not {badge}: checks of {record.date:%Y-%m-%d} failed{reason}.")
        elif shortfall := record.shortfall:
            remarks.append(f"Not {badge} on {record.date:%Y-%m-%d}: {shortfall}.")
        else:
            held[badge] = record
    return Badges(held, tuple(remarks))


def read_record(path: Path, badge: Badge) -> Verification:
    """Read a verification record.

    Raises:
        SubmissionError: It cannot be read, or is a record of something else.
    """
    try:
        record = Verification.model_validate_json(read_bytes(path, MAX_RECORD_BYTES))
    except ValidationError as error:
        raise SubmissionError(f"{path} is not a verification record: {validation_message(error)}") from error
    played = record.replayed.episodes if record.replayed else 0
    if record.badge != badge or (record.passed and not (played if badge == "replayed" else record.reran)):
        raise SubmissionError(f"{path} is not a record for the badge `{badge}`; verify the submission again")
    return record

"""Evidence that cannot be fetched: a build of the board asks its store once a day."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ictbench.board.finding_cache import submission_key
from ictbench.errors import UsageError
from ictbench.records import Record
from ictbench.submissions.evidence_location import BOARD
from ictbench.visible_text import one_line

if TYPE_CHECKING:
    from ictbench.board.finding_cache import FindingCache
    from ictbench.submissions.read_submission import SubmissionContent
    from ictbench.submissions.submission_schema import Submission

ASK_AGAIN = 86_400.0
"""Seconds after which a store is asked again."""


class Unavailable(Record):
    """Finding: the evidence of a submission could not be fetched."""

    reason: str
    asked: float
    """Time of the attempt, seconds since 1970."""


def why_unavailable(content: SubmissionContent, findings: FindingCache) -> str:
    """Return why the evidence of a submission cannot be fetched; empty if it can, or lies in the submission."""
    submission = content.submission
    if submission.evidence is None:
        return ""
    if known := known_unavailable(submission, findings):
        return known
    try:
        content.file("trajectories.jsonl.gz")
    except UsageError as error:
        reason = one_line(str(error))
        if submission.evidence.store != BOARD:  # the board's own folder costs nothing to look at
            findings.put(Unavailable(reason=reason, asked=time.time()), submission_key(submission))
        return reason
    return ""


def known_unavailable(submission: Submission, findings: FindingCache) -> str:
    """Return why the evidence of a submission could not be fetched within the last day; empty if that is not known."""
    if submission.evidence is None:
        return ""
    known = findings.get(Unavailable, submission_key(submission))
    return known.reason if known and 0 <= time.time() - known.asked < ASK_AGAIN else ""

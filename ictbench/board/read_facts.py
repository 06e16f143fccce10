"""Reading of a board's submissions; those that have not changed cost the comparison of their digests."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from ictbench.board.bad_entry import BadEntry
from ictbench.board.entry_facts import EntryFacts
from ictbench.board.finding_cache import submission_key
from ictbench.board.parallel import look_up_each
from ictbench.errors import SubmissionError
from ictbench.rollout.remote.process_starter import cores
from ictbench.submissions.metadata import slug_problem
from ictbench.submissions.read_submission import read_content

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ictbench.board.finding_cache import FindingCache
    from ictbench.board.parallel import OnProgress
    from ictbench.submissions.layout import SubmissionFolder
    from ictbench.submissions.submission_schema import Submission


class ReadSubmission(NamedTuple):
    """A submission and what follows from its result."""

    folder: SubmissionFolder
    submission: Submission
    facts: EntryFacts


def read_all(
    folders: Sequence[SubmissionFolder], findings: FindingCache, step: str, on_progress: OnProgress
) -> list[ReadSubmission | BadEntry]:
    """Read submissions on all cores; one that cannot be read is a bad entry."""
    look_up, work = partial(_look_up, findings), partial(_read, findings)
    return look_up_each(look_up, work, folders, jobs=cores(), step=step, on_progress=on_progress)


def _look_up(findings: FindingCache, folder: SubmissionFolder) -> ReadSubmission | None:
    """Return a submission of whose present files all is known; None otherwise, or if it cannot be read."""
    with suppress(Exception):  # `_read` reports it
        if not slug_problem(folder.slug):
            submission = read_content(folder).submission
            if facts := findings.get(EntryFacts, submission_key(submission)):
                return ReadSubmission(folder, submission, facts)
    return None


def _read(findings: FindingCache, folder: SubmissionFolder) -> ReadSubmission | BadEntry:
    try:
        if problem := slug_problem(folder.slug):
            raise SubmissionError(problem)
        content = read_content(folder)
        facts = EntryFacts.of(content.result)
        findings.put(facts, submission_key(content.submission))
        return ReadSubmission(folder, content.submission, facts)
    except Exception as error:  # a submission may hold anything, and never stops the others
        return BadEntry.of(folder.slug, error)

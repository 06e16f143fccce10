"""Checks of one submission from data alone: names in it are never looked up or imported."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from ictbench.audit.prompt_leaks import check_leaks
from ictbench.audit.recompute import recompute
from ictbench.audit.result_checks import make_plans
from ictbench.audit.shown_checks import check_shown
from ictbench.board.conflicts import Identity, content_digest
from ictbench.board.finding_cache import NO_CACHE, submission_key
from ictbench.board.parallel import look_up_each
from ictbench.errors import UsageError
from ictbench.records import Record
from ictbench.rollout.remote.process_starter import cores
from ictbench.submissions.eligibility import ineligibility
from ictbench.submissions.evidence_location import BOARD, evidence_files, read_stores
from ictbench.submissions.metadata import metadata_mismatches, slug_problem
from ictbench.submissions.pack import without_host
from ictbench.submissions.player_labels import label_problems
from ictbench.submissions.read_submission import read_content
from ictbench.submissions.truthfulness import untrue_statements
from ictbench.suites import load_suite

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from ictbench.audit.verification import Check
    from ictbench.board.finding_cache import FindingCache
    from ictbench.board.parallel import OnProgress
    from ictbench.submissions.layout import BoardFolder, SubmissionFolder
    from ictbench.submissions.read_submission import SubmissionContent


class Identified(Record):
    """Finding: the digest of what a submission played."""

    content: str | None


class Passed(Record):
    """Finding: a submission passes all checks. Problems are never remembered."""


class Examined(NamedTuple):
    """What was found in a submission."""

    identity: Identity | None
    """None if it cannot be read."""
    problems: tuple[str, ...] = ()


class Examination(NamedTuple):
    """A submission to examine."""

    folder: SubmissionFolder
    suite: str
    suite_digest: str
    submitted: bool
    """False for an entry that the board shows without a rank."""
    checked: bool
    """False if it is only compared with others."""

    def key(self, content: SubmissionContent) -> tuple[str, ...]:
        """Return what `Passed` depends on, besides the code."""
        place = "submitted" if self.submitted else "unranked"
        stores = read_stores(self.folder.board).model_dump_json() if content.submission.evidence else ""
        return submission_key(content.submission), self.folder.slug, self.suite, self.suite_digest, place, stores


def examine_all(
    board: BoardFolder,
    folders: Sequence[SubmissionFolder],
    checked: Collection[SubmissionFolder],
    cache: FindingCache,
    on_progress: OnProgress,
) -> list[Examined]:
    """Identify the submissions of a board and check some of them; what is known of their present files is looked up."""
    suite_digest = load_suite(board.suite).digest
    wanted = {folder.path for folder in checked}
    items = [
        Examination(folder, board.suite, suite_digest, folder.path.parent == board.submissions, folder.path in wanted)
        for folder in folders
    ]
    look_up, work = partial(_look_up, cache), partial(_examine, cache)
    return look_up_each(look_up, work, items, jobs=cores(), step=f"checking {board.suite}", on_progress=on_progress)


def _look_up(cache: FindingCache, item: Examination) -> Examined | None:
    """Return what is known of a submission as it is now; None if anything is unknown, or if it cannot be read."""
    try:
        if slug_problem(item.folder.slug):
            return None
        content = read_content(item.folder)
        identified = cache.get(Identified, submission_key(content.submission))
        if identified is None or (item.checked and cache.get(Passed, *item.key(content)) is None):
            return None
        if item.checked and content.submission.evidence and content.submission.evidence.store == BOARD:
            for name in evidence_files(content.submission.files):
                content.file(name)  # must still be there, unchanged; evidence elsewhere is not fetched again
    except Exception:  # the examination reports it
        return None
    return Examined(Identity.of(item.folder, content.submission, identified.content))


def _examine(cache: FindingCache, item: Examination) -> Examined:
    """Examine a submission; files are read once, so that what is remembered was found in what its key says."""
    identity, key = None, None
    problems: list[str] = []
    try:
        if problem := slug_problem(item.folder.slug):
            return Examined(None, (problem,) if item.checked else ())
        content = read_content(item.folder)
        identified = Identified(content=content_digest(content.result))
        identity = Identity.of(item.folder, content.submission, identified.content)
        cache.put(identified, submission_key(content.submission))
        if item.checked:
            key = item.key(content)
            problems += _submission_problems(content, item.suite, submitted=item.submitted)
    except UsageError as error:
        problems.append(str(error))
    except Exception as error:  # a submission may hold anything, and never stops the check of the others
        problems.append(f"it cannot be checked: {type(error).__name__}: {error}")
    if key and not problems:
        cache.put(Passed(), *key)
    return Examined(identity, tuple(problems) if item.checked else ())


def check_submission(folder: SubmissionFolder, suite: str, *, submitted: bool = True) -> Iterator[str]:
    """Yield the problems of one submission to the board of a suite; nothing in it is executed.

    The checks are, in this order: name and files, whether the board accepts such a run, and everything that can be
    recomputed from the records.

    Args:
        folder: The submission.
        suite: Name of the board's suite.
        submitted: False for an entry that the board shows without a rank; its run may be of any profile.
    """
    yield from _examine(NO_CACHE, Examination(folder, suite, "", submitted, checked=True)).problems


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

"""Rules for pull requests: a submitter adds one submission with its evidence, and logs are append-only."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from ictbench.errors import SubmissionError
from ictbench.submissions.evidence_location import BOARD, evidence_files
from ictbench.submissions.evidence_store import file_name
from ictbench.submissions.git import NO_FILE, PLAIN_FILE, Repository
from ictbench.submissions.layout import BoardFolder
from ictbench.submissions.read_submission import parse_metadata

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from ictbench.submissions.git import Change


def forbidden_changes(leaderboards: Path, base: str, *, maintainer: bool = False) -> Iterator[str]:
    """Yield the changes between `base` and HEAD that are not allowed.

    Maintainers may change everything except existing lines of a log: they make corrections and removals.

    Raises:
        SubmissionError: The folder is not in a git checkout, or `base` is not one of its commits.
    """
    repository = Repository.around(leaderboards)
    if repository is None:
        raise SubmissionError(f"{leaderboards} is not in a git checkout; validate without --base")
    ancestor = repository.merge_base(base)
    changes = repository.changes_since(ancestor)
    place = leaderboards.resolve().relative_to(repository.top.resolve())
    if not maintainer:
        yield from _beyond_one_submission(repository, changes, place)
        yield from _other_stores(repository.changes_since(repository.commit_of(base)), place, base)
    for change in changes:
        path = _from_top(change, place)
        if path == BoardFolder(path.parent).log and path.parent.parent == place:
            yield from _rewritten_log(repository, ancestor, change)


def _beyond_one_submission(repository: Repository, changes: Sequence[Change], place: Path) -> Iterator[str]:
    touched: set[Path] = set()
    evidence = _evidence_of_added(repository, changes, place)
    for change in changes:
        path = _from_top(change, place)
        if path in evidence:
            yield from _not_added(change)
            continue
        folder = BoardFolder(path.parents[2]).submission(path.parent.name) if len(path.parts) > 3 else None
        if folder is None or path.parents[3] != place or path not in folder.all_files:
            yield f"{change.path!a} is not a file of a submission; a pull request may only add one submission"
            continue
        touched.add(folder.path)
        yield from _not_added(change)
    if len(touched) > 1:
        names = ", ".join(sorted(path.name for path in touched))
        yield f"{len(touched)} submissions are changed: {names!a:.200}; open a pull request for each"


def _not_added(change: Change) -> Iterator[str]:
    if change.before != NO_FILE:
        yield f"{change.path!a} existed before; to correct or remove a submission, ask the board's maintainers"
    elif change.after != PLAIN_FILE:
        yield f"{change.path!a} is not a plain file (its mode is {change.after}); commit it as one"


def _evidence_of_added(repository: Repository, changes: Sequence[Change], place: Path) -> set[Path]:
    """Return the files in the boards' own folders of evidence that the added submissions name as theirs."""
    named: set[Path] = set()
    for change in changes:
        path = _from_top(change, place)
        if len(path.parts) < 4 or path.parents[3] != place or change.after != PLAIN_FILE:
            continue
        board = BoardFolder(path.parents[2])
        if path == board.submission(path.parent.name).metadata:
            # `validate` says what is wrong with metadata that cannot be read; they name nothing.
            with suppress(SubmissionError):
                submission = parse_metadata(path, repository.content("HEAD", change.path))
                if submission.evidence and submission.evidence.store == BOARD:
                    digests = [submission.files[name] for name in evidence_files(submission.files)]
                    named |= {board.evidence / file_name(digest) for digest in digests}
    return named


def _other_stores(changes: Sequence[Change], place: Path, base: str) -> Iterator[str]:
    """Yield the lists of stores that differ from those of `base`, which may have dropped a store since the ancestor."""
    for change in changes:
        path = _from_top(change, place)
        if path == BoardFolder(path.parent).stores and path.parent.parent == place:
            yield f"{change.path!a} is not that of {base:.80}; rebase on it, so that evidence is read as it says"


def _rewritten_log(repository: Repository, ancestor: str, change: Change) -> Iterator[str]:
    before = b"" if change.before == NO_FILE else repository.content(ancestor, change.path)
    after = repository.content("HEAD", change.path) if change.after == PLAIN_FILE else b""
    if change.after != PLAIN_FILE or not after.startswith(before):
        yield f"{change.path!a} loses or changes existing lines; a log is append-only"


def _from_top(change: Change, place: Path) -> Path:
    """Return the path of a change, relative to the top of the repository like `place`."""
    return type(place)(change.path)

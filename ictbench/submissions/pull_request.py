"""Rules for pull requests: a submitter adds one submission, and logs are append-only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ictbench.errors import SubmissionError
from ictbench.submissions.git import NO_FILE, PLAIN_FILE, Repository
from ictbench.submissions.layout import BoardFolder

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
        yield from _beyond_one_submission(changes, place)
        yield from _other_stores(repository.changes_since(repository.commit_of(base)), place, base)
    for change in changes:
        path = _from_top(change, place)
        if path == BoardFolder(path.parent).log and path.parent.parent == place:
            yield from _rewritten_log(repository, ancestor, change)


def _beyond_one_submission(changes: Sequence[Change], place: Path) -> Iterator[str]:
    touched: set[Path] = set()
    for change in changes:
        path = _from_top(change, place)
        folder = BoardFolder(path.parents[2]).submission(path.parent.name) if len(path.parts) > 3 else None
        if folder is None or path.parents[3] != place or path not in (folder.metadata, *folder.content):
            yield f"{change.path!a} is not a file of a submission; a pull request may only add one submission"
            continue
        touched.add(folder.path)
        if change.before != NO_FILE:
            yield f"{change.path!a} existed before; to correct or remove a submission, ask the board's maintainers"
        elif change.after != PLAIN_FILE:
            yield f"{change.path!a} is not a plain file (its mode is {change.after}); commit it as one"
    if len(touched) > 1:
        names = ", ".join(sorted(path.name for path in touched))
        yield f"{len(touched)} submissions are changed: {names!a:.200}; open a pull request for each"


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

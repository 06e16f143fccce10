"""What a pull request may change: a submitter adds one submission, and nobody rewrites a log."""

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
    """What the commits since HEAD parted from `base` change and may not, in words.

    Maintainers may change everything but the past of a log: corrections and removals are theirs.

    Raises:
        SubmissionError: this is no git checkout, or `base` is no commit of it.
    """
    repository = Repository.around(leaderboards)
    if repository is None:
        raise SubmissionError(f"{leaderboards} lies in no git checkout; validate without --base")
    parted = repository.merge_base(base)
    changes = repository.changes_since(parted)
    place = leaderboards.resolve().relative_to(repository.top.resolve())
    if not maintainer:
        yield from _beyond_one_submission(changes, place)
    for change in changes:
        path = _from_top(change, place)
        if path == BoardFolder(path.parent).log and path.parent.parent == place:
            yield from _rewritten(repository, parted, change)


def _beyond_one_submission(changes: Sequence[Change], place: Path) -> Iterator[str]:
    touched: set[Path] = set()
    for change in changes:
        path = _from_top(change, place)
        folder = BoardFolder(path.parents[2]).submission(path.parent.name) if len(path.parts) > 3 else None
        if folder is None or path.parents[3] != place or path not in (folder.metadata, *folder.content):
            yield f"{change.path!a} is no file of a submission; a pull request adds one submission and nothing else"
            continue
        touched.add(folder.path)
        if change.before != NO_FILE:
            yield f"{change.path!a} was there before; to correct or remove a submission, ask the board's maintainers"
        elif change.after != PLAIN_FILE:
            yield f"{change.path!a} is no plain file (its mode is {change.after}); commit it as one"
    if len(touched) > 1:
        names = ", ".join(sorted(path.name for path in touched))
        yield f"{len(touched)} submissions are touched: {names!a:.200}; open a pull request for each"


def _rewritten(repository: Repository, parted: str, change: Change) -> Iterator[str]:
    before = b"" if change.before == NO_FILE else repository.content(parted, change.path)
    after = repository.content("HEAD", change.path) if change.after == PLAIN_FILE else b""
    if change.after != PLAIN_FILE or not after.startswith(before):
        yield f"{change.path!a} loses or changes lines that were there; a log is only ever added to"


def _from_top(change: Change, place: Path) -> Path:
    """Its path as `place` is one: from the top of the repository."""
    return type(place)(change.path)

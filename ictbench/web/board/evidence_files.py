"""Evidence of an entry for its readers: the files of the submission and the board's verification records."""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from ictbench.errors import SubmissionError
from ictbench.safe_read import read_bytes
from ictbench.submissions.evidence_location import BOARD, evidence_files, read_stores
from ictbench.submissions.evidence_store import file_name

if TYPE_CHECKING:
    from pathlib import Path

    from ictbench.board.entries import Board, Entry
    from ictbench.web.board.about import About

    Json = dict[str, Any]

MAX_BYTES = 50_000_000
"""Maximum size of a file that is copied; a submission has at most ten megabytes."""


def publish_evidence(about: About, board: Board, entry: Entry, site: Path, before: Path) -> list[Json]:
    """Return the files of an entry with their addresses; they are put into the site if the board states no address.

    Args:
        about: Statements about the boards.
        board: The board of the entry.
        entry: The entry.
        site: Folder of the board's pages.
        before: The same folder of the site that this one replaces. Files that it holds already are not copied again.

    Raises:
        SubmissionError: A file has changed since the board was read, or cannot be read.
    """
    files: list[Json] = []
    for path in _files(board, entry):
        place = path.relative_to(board.folder.path).as_posix()
        content = read_bytes(path, MAX_BYTES)
        digest = hashlib.sha256(content).hexdigest()
        if entry.submission.files.get(path.name, digest) != digest:  # type: ignore[call-overload]
            raise SubmissionError(f"{path} has changed since the board was read; build the site again")
        if about.evidence:
            address = f"{about.evidence.rstrip('/')}/{board.suite}/{place}"
        else:
            address = f"../evidence/{place}"
            _put(content, site / "evidence" / place, before / "evidence" / place)
        files.append({"name": path.name, "place": place, "href": address, "sha256": digest, "bytes": len(content)})
    return [*files, *_on_the_web(board, entry)]


def _put(content: bytes, copy: Path, earlier: Path) -> None:
    """Write a file of the site, or link it to the earlier site's copy, so that the board's own files stay apart."""
    copy.parent.mkdir(parents=True, exist_ok=True)
    copy.unlink(missing_ok=True)  # two entries may share a file; a link must not be written through
    with suppress(OSError, SubmissionError):  # there is none, or it cannot be read or linked
        if read_bytes(earlier, MAX_BYTES) == content:
            os.link(earlier, copy)
            return
    copy.write_bytes(content)


def _files(board: Board, entry: Entry) -> list[Path]:
    """Return the files that lie in the board; a submission may keep its episodes elsewhere."""
    submission, folder = entry.submission, board.folder
    records = [folder.verification(entry.slug, badge) for badge in entry.badges.held]
    own = [
        folder.evidence / file_name(submission.files[name])
        for name in evidence_files(submission.files)
        if submission.evidence and submission.evidence.store == BOARD
    ]
    return [path for path in (*entry.folder.all_files, *own, *records) if path.is_file()]


def _on_the_web(board: Board, entry: Entry) -> list[Json]:
    """Return the files that lie on a web server that the board allows; a browser can open them."""
    submission = entry.submission
    location = submission.evidence
    if location is None or not location.store.startswith("https://"):
        return []
    if read_stores(board.folder).problem(location.store):
        return []
    store = location.store.rstrip("/")
    return [
        {
            "name": name,
            "place": name,
            "href": f"{store}/{file_name(submission.files[name])}",
            "sha256": submission.files[name],
            "bytes": location.sizes[name],
        }
        for name in location.sizes
    ]

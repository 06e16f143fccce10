"""Public, append-only log of a board.

Each line holds the SHA-256 of the line before it, so that a changed, moved or removed line is detected when the log is
read. Lines removed from the end are detected only by comparison with a later version: git has it, and the site shows
the hash of the last line.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from pydantic import AwareDatetime, ValidationError

from ictbench.errors import SubmissionError
from ictbench.records import Record
from ictbench.safe_read import read_bytes
from ictbench.submissions.submission_schema import Hash, Line, Text
from ictbench.validation import validation_message

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

Event = Literal["added", "attempted", "corrected", "removed"]
"""`attempted`: a submission that was refused, for the stated reason."""

FIRST = "0" * 64
"""Hash that the first line holds instead of that of a line before it."""

MAX_LOG_BYTES = 50_000_000
"""Maximum size of a log: about 100,000 lines."""

ON_BOARD: tuple[Event, ...] = ("added", "corrected")


class LogLine(Record):
    """One event on a board."""

    date: AwareDatetime
    event: Event
    slug: Line
    """Slug of the submission."""
    submission: Hash | None
    """Digest of the submission at that time; None for an attempt without one."""
    by: Line
    """Person who made the change."""
    reason: Text
    before: Hash
    """SHA-256 of the previous line without its line feed."""


def read_log(path: Path) -> tuple[LogLine, ...]:
    """Read a log, oldest line first; empty if there is none.

    Raises:
        SubmissionError: The log cannot be read, or a line was changed, moved or removed.
    """
    return _parse(path, _content(path))


def append(path: Path, event: Event, slug: str, *, by: str, reason: str, submission: str | None = None) -> LogLine:
    """Append a line. A removal without a digest refers to the submission last on the board under that slug.

    Raises:
        SubmissionError: The log is damaged, or the event contradicts it.
    """
    try:
        with open(path, "a+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.seek(0)
            content = file.read()
            lines = _parse(path, content)
            line = LogLine(
                date=datetime.now(UTC).replace(microsecond=0),
                event=event,
                slug=slug,
                submission=_digest(lines, event, slug, submission),
                by=by,
                reason=reason,
                before=_head(content),
            )
            file.write(f"{line.model_dump_json()}\n".encode())
    except OSError as error:
        raise SubmissionError(f"log {path} cannot be written: {error.strerror}") from error
    except ValidationError as error:
        raise SubmissionError(f"the line is not valid: {validation_message(error)}") from error
    return line


class LogIndex:
    """Index of a log by submission: when each was added, and which were removed."""

    def __init__(self, lines: Iterable[LogLine]) -> None:
        self._on_board: dict[str, tuple[int, list[str | None]]] = {}
        """By slug: line that added the submission now on the board, and digests that it has had since."""
        self._removed: dict[str | None, LogLine] = {}
        for number, line in enumerate(lines):
            if line.event in ON_BOARD:
                first, digests = self._on_board.get(line.slug, (number, []))
                self._on_board[line.slug] = (first, [*digests, line.submission])
            elif line.event == "removed":
                _, digests = self._on_board.pop(line.slug, (number, []))
                self._removed |= dict.fromkeys([*digests, line.submission], line)

    def position(self, slug: str, digest: str, otherwise: float) -> float:
        """Return the line that added the submission with this digest, `otherwise` if it is not on the board."""
        first, digests = self._on_board.get(slug, (otherwise, [None]))
        return first if digests[-1] == digest else otherwise

    def removal(self, digest: str | None) -> LogLine | None:
        """Return the line by which a submission was removed, if it was. It stays removed, under any slug."""
        return self._removed.get(digest) if digest else None


def head(path: Path) -> str:
    """Return the SHA-256 of the last line, which reveals whether lines were removed from the end."""
    return _head(_content(path))


def _content(path: Path) -> bytes:
    return read_bytes(path, MAX_LOG_BYTES) if os.path.lexists(path) else b""


def _parse(path: Path, content: bytes) -> tuple[LogLine, ...]:
    if content and not content.endswith(b"\n"):
        raise SubmissionError(f"log {path} does not end with a line feed: its last line is truncated")
    lines: list[LogLine] = []
    before = FIRST
    for number, raw in enumerate(content.split(b"\n")[:-1], 1):
        try:
            line = LogLine.model_validate_json(raw)
        except ValidationError as error:
            raise SubmissionError(f"log {path}, line {number}: {validation_message(error)}") from error
        if line.before != before:
            raise SubmissionError(
                f"log {path}, line {number} does not follow the line before it: one of them was changed, moved or "
                "removed; restore the log from git"
            )
        before = _hash(raw)
        lines.append(line)
    return tuple(lines)


def _digest(lines: tuple[LogLine, ...], event: Event, slug: str, submission: str | None) -> str | None:
    """Return the digest of the submission that an event refers to, after checking the event against the log."""
    last = next((line for line in reversed(lines) if line.slug == slug and line.event != "attempted"), None)
    on_board = last is not None and last.event in ON_BOARD
    if event == "added" and on_board:
        raise SubmissionError(f"{slug} is already on the board; log a change to it as corrected")
    if event in ("corrected", "removed") and not on_board:
        raise SubmissionError(f"{slug} is not on the board according to the log; log it as added first")
    if event in ON_BOARD and submission is None:
        raise SubmissionError(f"{event}: the digest of {slug} is missing; it identifies what was {event}")
    if event in ON_BOARD and (removal := LogIndex(lines).removal(submission)):
        raise SubmissionError(
            f"{slug} was removed on {removal.date:%Y-%m-%d} ({removal.reason:.200}): this digest stays removed; only a "
            "corrected submission, which has another one, can be added"
        )
    return last.submission if submission is None and event == "removed" and last else submission


def _head(content: bytes) -> str:
    return _hash(content[:-1].rpartition(b"\n")[2]) if content else FIRST


def _hash(line: bytes) -> str:
    return hashlib.sha256(line).hexdigest()

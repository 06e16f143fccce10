"""What happened to a board: a public log to which lines are only added.

Each line holds the SHA-256 of the line before it, so one that is changed, moved or taken out is seen by whoever reads
the log. Lines taken off its end are seen only by whoever knows a later one: git does, and the site names the last one.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal, get_args

from pydantic import AwareDatetime, ValidationError

from ictbench.errors import SubmissionError
from ictbench.records import Record, validation_message
from ictbench.submissions.safe_read import read_bytes
from ictbench.submissions.submission_schema import Hash, Line, Text

if TYPE_CHECKING:
    from pathlib import Path

Event = Literal["added", "attempted", "corrected", "removed"]
"""`attempted`: refused, for the reason given."""

EVENTS: tuple[Event, ...] = get_args(Event)
FIRST = "0" * 64
"""What the first line holds for the one before it."""

MAX_LOG_BYTES = 50_000_000
"""Of a log: some 100,000 lines."""

ON_BOARD: tuple[Event, ...] = ("added", "corrected")


class LogLine(Record):
    """One thing that happened."""

    date: AwareDatetime
    event: Event
    slug: Line
    """Of the submission."""
    submission: Hash | None
    """Its digest, as it was then; None of an attempt that had none."""
    by: Line
    """Who did it."""
    reason: Text
    before: Hash
    """SHA-256 of the line before, without its line feed."""


def read_log(path: Path) -> tuple[LogLine, ...]:
    """All of a log, oldest first; empty where there is none.

    Raises:
        SubmissionError: it cannot be read, or a line was changed, moved or taken out.
    """
    return _parse(path, _content(path))


def append(path: Path, event: Event, slug: str, *, by: str, reason: str, submission: str | None = None) -> LogLine:
    """Add a line. A removal without a digest is of what was last on the board under that slug.

    Raises:
        SubmissionError: the log is damaged, or what is to be logged cannot have happened.
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
        raise SubmissionError(f"the log takes no such line: {validation_message(error)}") from error
    return line


def head(path: Path) -> str:
    """SHA-256 of the last line: whoever keeps it knows whether lines were taken off the end."""
    return _head(_content(path))


def _content(path: Path) -> bytes:
    return read_bytes(path, MAX_LOG_BYTES) if os.path.lexists(path) else b""


def _parse(path: Path, content: bytes) -> tuple[LogLine, ...]:
    if content and not content.endswith(b"\n"):
        raise SubmissionError(f"log {path} does not end with a line feed: its last line is cut short")
    found: list[LogLine] = []
    before = FIRST
    for number, raw in enumerate(content.split(b"\n")[:-1], 1):
        try:
            line = LogLine.model_validate_json(raw)
        except ValidationError as error:
            raise SubmissionError(f"log {path}, line {number}: {validation_message(error)}") from error
        if line.before != before:
            raise SubmissionError(
                f"log {path}, line {number} does not follow the line before it: one of them was changed, moved or "
                "taken out; get the log back from git"
            )
        before = _hash(raw)
        found.append(line)
    return tuple(found)


def _digest(lines: tuple[LogLine, ...], event: Event, slug: str, submission: str | None) -> str | None:
    """Of the submission that an event is about, which must be one that can be."""
    last = next((line for line in reversed(lines) if line.slug == slug and line.event != "attempted"), None)
    there = last is not None and last.event in ON_BOARD
    if event == "added" and there:
        raise SubmissionError(f"{slug} is on the board already; a change to it is logged as corrected")
    if event in ("corrected", "removed") and not there:
        raise SubmissionError(f"{slug} is not on the board, as far as the log knows; log it as added first")
    if event in ON_BOARD and submission is None:
        raise SubmissionError(f"{event}: the digest of {slug} is missing, and binds the line to what was {event}")
    return last.submission if submission is None and event == "removed" and last else submission


def _head(content: bytes) -> str:
    return _hash(content[:-1].rpartition(b"\n")[2]) if content else FIRST


def _hash(line: bytes) -> str:
    return hashlib.sha256(line).hexdigest()

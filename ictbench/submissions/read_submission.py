"""Reading of a submission's folder. Anything that is not a valid submission is refused before it is used."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, TypeVar

from pydantic import ValidationError

from ictbench.errors import ResultError, SubmissionError
from ictbench.records import Episode, Record
from ictbench.results.result_file import check_result
from ictbench.submissions.episode_records import SUBMISSION_DIGITS, EpisodeRecord, Evidence
from ictbench.submissions.safe_read import SizeLimits, check_names, parse_json, read_bytes, read_lines
from ictbench.submissions.submission_schema import Submission
from ictbench.validation import validation_message, validation_problems

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ictbench.results import Result
    from ictbench.submissions.layout import SubmissionFolder

MAX_BYTES = 10_000_000
"""Maximum size of all files of a submission together."""

MAX_PROBLEMS = 8

METADATA_VALUES, RESULT_VALUES = 1_000, 200_000
"""Maximum commas outside of strings; the result of a standard run has about 15,000."""

EPISODES = SizeLimits(unpacked=200_000_000, ratio=250, lines=200_000, line=200_000, values=2_000)
TRAJECTORIES = SizeLimits(unpacked=50_000_000, ratio=250, lines=200, line=2_000_000, values=20_000)

R = TypeVar("R", bound=Record)


def read_submission(folder: SubmissionFolder) -> Submission:
    """Return a submission's metadata, after checking the digests of all its other files.

    Raises:
        SubmissionError: The folder holds other files, too much data, or metadata that do not fit the schema.
    """
    if problems := list(check_names(folder.path, [path.name for path in (folder.metadata, *folder.content)])):
        raise SubmissionError("; ".join(problems))
    content = {path.name: read_bytes(path, MAX_BYTES) for path in (folder.metadata, *folder.content)}
    if (size := sum(map(len, content.values()))) > MAX_BYTES:
        raise SubmissionError(f"{folder.path} has {size:,} bytes; a submission has at most {MAX_BYTES:,}")
    metadata = content.pop(folder.metadata.name)
    parse_json(metadata, str(folder.metadata), METADATA_VALUES)
    try:
        submission = Submission.model_validate_json(metadata, strict=True)
    except ValidationError as error:
        problems = validation_problems(error, MAX_PROBLEMS)
        raise SubmissionError(f"{folder.metadata} does not fit its schema: {'; '.join(problems)}") from error
    for name, data in content.items():
        stated = dict(submission.files).get(name)  # type: ignore[call-overload]
        if stated != (digest := hashlib.sha256(data).hexdigest()):
            raise SubmissionError(
                f"{folder.path / name} was changed: its SHA-256 is {digest}, {folder.metadata.name} says {stated}; "
                "submit the run again"
            )
    return submission


def read_result(folder: SubmissionFolder) -> Result:
    """Return a submission's result.

    Raises:
        SubmissionError: It cannot be read, has another schema, or contradicts itself.
    """
    content = parse_json(read_bytes(folder.result, MAX_BYTES), str(folder.result), RESULT_VALUES)
    try:
        return check_result(content, folder.result)
    except ResultError as error:
        raise SubmissionError(str(error)) from error


def evidence_of_submission(folder: SubmissionFolder) -> Evidence:
    """Read a submission's result and episode records.

    Iterating over the records raises SubmissionError if one does not fit the schema or is out of order.

    Raises:
        SubmissionError: The folder is not a submission.
    """
    read_submission(folder)
    return Evidence(read_result(folder), lambda: _episodes(folder.episodes), SUBMISSION_DIGITS)


def read_trajectories(folder: SubmissionFolder) -> Iterator[Episode]:
    """Return the episodes that a submission shows in full.

    Raises:
        SubmissionError: An episode does not fit the schema.
    """
    return (_record(Episode, line, place) for place, line in _lines(folder.trajectories, TRAJECTORIES))


def _episodes(path: Path) -> Iterator[EpisodeRecord]:
    last = ""
    for place, line in _lines(path, EPISODES):
        record = _record(EpisodeRecord, line, place)
        if record.key <= last:
            raise SubmissionError(f"{place}: {record.key!r:.80} does not come after {last!r:.80}; keys must be sorted")
        last = record.key
        yield record


def _lines(path: Path, caps: SizeLimits) -> Iterator[tuple[str, bytes]]:
    return read_lines(read_bytes(path, MAX_BYTES), str(path), caps)


def _record(kind: type[R], content: bytes, where: str) -> R:
    try:
        return kind.model_validate_json(content, strict=True)
    except ValidationError as error:
        raise SubmissionError(f"{where} does not fit its schema: {validation_message(error)}") from error

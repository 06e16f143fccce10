"""Reads a submission's folder. Whatever is not a submission is refused before anything is worked out from it."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, TypeVar

from pydantic import ValidationError

from ictbench.errors import ResultError, SubmissionError
from ictbench.records import Episode, Record, validation_message
from ictbench.results.result_file import check_result
from ictbench.submissions.episode_records import SUBMISSION_DIGITS, EpisodeRecord, Evidence
from ictbench.submissions.safe_read import SizeLimits, check_names, parse_json, read_bytes, read_lines
from ictbench.submissions.submission_schema import Submission

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ictbench.results import Result
    from ictbench.submissions.layout import SubmissionFolder

MAX_BYTES = 10_000_000
"""Of all files of a submission together."""

MAX_PROBLEMS = 8

METADATA_VALUES, RESULT_VALUES = 1_000, 200_000
"""Commas outside of strings; a standard run's result has some 15,000."""

EPISODES = SizeLimits(unpacked=200_000_000, ratio=250, lines=200_000, line=200_000, values=2_000)
TRAJECTORIES = SizeLimits(unpacked=50_000_000, ratio=250, lines=200, line=2_000_000, values=20_000)

R = TypeVar("R", bound=Record)


def read_submission(folder: SubmissionFolder) -> Submission:
    """A submission's metadata, which name every other file of the folder as it is.

    Raises:
        SubmissionError: the folder holds something else, or too much, or the metadata are of another shape.
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
        wrong = "; ".join(_problems(error))
        raise SubmissionError(f"{folder.metadata} is not what it should be: {wrong}") from error
    for name, found in content.items():
        stated = dict(submission.files).get(name)  # type: ignore[call-overload]
        if stated != (digest := hashlib.sha256(found).hexdigest()):
            raise SubmissionError(
                f"{folder.path / name} was changed: its SHA-256 is {digest}, {folder.metadata.name} says {stated}; "
                "submit the run again"
            )
    return submission


def read_result(folder: SubmissionFolder) -> Result:
    """A submission's result.

    Raises:
        SubmissionError: it cannot be read, is of another schema, or contradicts itself.
    """
    content = parse_json(read_bytes(folder.result, MAX_BYTES), str(folder.result), RESULT_VALUES)
    try:
        return check_result(content, folder.result)
    except ResultError as error:
        raise SubmissionError(str(error)) from error


def evidence_of_submission(folder: SubmissionFolder) -> Evidence:
    """What a submission claims, with the records that it rests on.

    Reading these raises SubmissionError where a record is of another shape, or out of order.

    Raises:
        SubmissionError: the folder is no submission.
    """
    read_submission(folder)
    return Evidence(read_result(folder), lambda: _episodes(folder.episodes), SUBMISSION_DIGITS)


def read_trajectories(folder: SubmissionFolder) -> Iterator[Episode]:
    """The episodes that a submission shows in full.

    Raises:
        SubmissionError: one of them is of another shape.
    """
    return (_record(Episode, line, place) for place, line in _lines(folder.trajectories, TRAJECTORIES))


def _episodes(path: Path) -> Iterator[EpisodeRecord]:
    last = ""
    for place, line in _lines(path, EPISODES):
        record = _record(EpisodeRecord, line, place)
        if record.key <= last:
            raise SubmissionError(f"{place}: {record.key!r:.80} does not come after {last!r:.80}; keys are sorted")
        last = record.key
        yield record


def _lines(path: Path, caps: SizeLimits) -> Iterator[tuple[str, bytes]]:
    return read_lines(read_bytes(path, MAX_BYTES), str(path), caps)


def _problems(error: ValidationError) -> Iterator[str]:
    """All that is wrong, as far as a reader can take it in: place, what, value."""
    for one in error.errors(include_url=False)[:MAX_PROBLEMS]:
        yield f"{'.'.join(map(str, one['loc']))}: {one['msg']}, got {one['input']!r:.80}"


def _record(kind: type[R], content: bytes, where: str) -> R:
    try:
        return kind.model_validate_json(content, strict=True)
    except ValidationError as error:
        raise SubmissionError(f"{where} is not what it should be: {validation_message(error)}") from error

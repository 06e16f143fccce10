"""Reading of a submission's folder. Anything that is not a valid submission is refused before it is used.

Each file is read once. Digests and contents come from the same bytes, so a file that changes later changes nothing.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from pydantic import ValidationError

from ictbench.errors import ResultError, SubmissionError
from ictbench.records import MEMORY_BYTES, MEMORY_VALUES, Episode, Memory, Record
from ictbench.results.result_file import check_result
from ictbench.safe_read import SizeLimits, check_names, list_folder, parse_json, read_bytes, read_lines
from ictbench.submissions.episode_records import SUBMISSION_DIGITS, EpisodeRecord, Evidence, memory_of
from ictbench.submissions.evidence_location import ALWAYS, EVIDENCE_FILES, EvidenceFile, evidence_files
from ictbench.submissions.evidence_store import fetch
from ictbench.submissions.hashes import hash_problems
from ictbench.submissions.submission_schema import Submission
from ictbench.validation import validation_message, validation_problems

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
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
MEMORIES = SizeLimits(unpacked=60_000_000, ratio=1_000, lines=20_000, line=MEMORY_BYTES + 1_000, values=MEMORY_VALUES)

R = TypeVar("R", bound=Record)


@dataclass(frozen=True)
class SubmissionContent:
    """A submission as it was when its folder was read."""

    folder: SubmissionFolder
    submission: Submission
    files: Mapping[str, bytes]
    """Contents whose digests the metadata state, by file name; those in its folder."""
    _fetched: dict[str, bytes] = field(default_factory=dict, compare=False, repr=False)
    """Evidence that lies elsewhere, as it was when it was first needed."""

    @cached_property
    def result(self) -> Result:
        """The result.

        Raises:
            SubmissionError: It has another schema, or contradicts itself.
        """
        path = self.folder.result
        content = parse_json(self.files[path.name], str(path), RESULT_VALUES)
        try:
            result = check_result(content, path)
        except ResultError as error:
            raise SubmissionError(str(error)) from error
        if problem := next(hash_problems(result), None):
            raise SubmissionError(f"{path}: {problem}")
        return result

    @property
    def evidence(self) -> Evidence:
        """The result and the episode records.

        Iterating over the records raises SubmissionError if one does not fit the schema or is out of order.

        Raises:
            SubmissionError: The result cannot be used.
        """
        return Evidence(self.result, self._episodes, SUBMISSION_DIGITS, self.shown_episodes, self._memories)

    def shown_episodes(self) -> Iterator[Episode]:
        """Yield the episodes that the submission shows in full.

        Raises:
            SubmissionError: An episode does not fit the schema.
        """
        return (_record(Episode, line, place) for place, line in self._lines("trajectories.jsonl.gz", TRAJECTORIES))

    def file(self, name: EvidenceFile) -> bytes:
        """Return the content of a file of evidence, which is fetched if it lies elsewhere.

        Raises:
            UsageError: It cannot be fetched, or is not what was submitted.
        """
        if self.submission.evidence is None:
            return self.files[name]
        if name not in self._fetched:
            digest, location = self.submission.files[name], self.submission.evidence
            self._fetched[name] = fetch(location, name, digest, self.folder.board)
        return self._fetched[name]

    def _episodes(self) -> Iterator[EpisodeRecord]:
        last = ""
        for place, line in self._lines("episodes.jsonl.gz", EPISODES):
            record = _record(EpisodeRecord, line, place)
            if record.key <= last:
                raise SubmissionError(
                    f"{place}: {record.key!r:.80} does not come after {last!r:.80}; keys must be sorted"
                )
            last = record.key
            yield record

    def _memories(self) -> Iterator[Memory]:
        name: EvidenceFile = "memories.jsonl.gz"
        if name in self.submission.files:
            yield from (memory_of(line, place) for place, line in self._lines(name, MEMORIES))

    def _lines(self, name: EvidenceFile, caps: SizeLimits) -> Iterator[tuple[str, bytes]]:
        return read_lines(self.file(name), str(self.folder.path / name), caps)


def read_content(folder: SubmissionFolder) -> SubmissionContent:
    """Read all files of a submission's folder, and check their digests. Evidence that lies elsewhere is not fetched.

    Raises:
        SubmissionError: The folder holds other files, too much data, or metadata that do not fit the schema.
    """
    names = [path.name for path in (folder.metadata, *folder.content)]
    present = list_folder(folder.path, 4 * len(names))
    elsewhere = not set(EVIDENCE_FILES) & set(present)
    expected = [name for name in names if not (elsewhere and name in EVIDENCE_FILES)]
    if (memories := folder.memories.name) in present:
        expected.append(memories)
    if problems := list(check_names(folder.path, expected)):
        raise SubmissionError("; ".join(problems))
    files: dict[str, bytes] = {}
    for name in expected:
        files[name] = read_bytes(folder.path / name, MAX_BYTES)
        _check_total(folder, sum(map(len, files.values())))
    submission = parse_metadata(folder.metadata, files.pop(folder.metadata.name))
    if elsewhere and submission.evidence is None:
        raise SubmissionError(f"{folder.path} lacks {' and '.join(ALWAYS)}; `ictbench submit` writes them")
    if submission.evidence and not elsewhere:
        raise SubmissionError(f"{folder.path} holds evidence, and {folder.metadata.name} names another place of it")
    if location := submission.evidence:
        if not set(location.sizes) >= {*ALWAYS, *evidence_files(submission.files)}:
            raise SubmissionError(f"{folder.metadata}: evidence.sizes lacks one of {', '.join(EVIDENCE_FILES)}")
        _check_total(folder, sum([*map(len, files.values()), *location.sizes.values()]))
        if set(submission.files) != {folder.result.name, *location.sizes}:
            raise SubmissionError(f"{folder.metadata}: files lacks a digest; `ictbench submit` writes them")
    elif lacking := sorted(set(submission.files) - set(files)):
        raise SubmissionError(f"{folder.path} lacks {lacking[0]}; `ictbench submit` writes it")
    for name, data in files.items():
        stated = dict(submission.files).get(name)  # type: ignore[call-overload]
        if stated != (digest := hashlib.sha256(data).hexdigest()):
            raise SubmissionError(
                f"{folder.path / name} was changed: its SHA-256 is {digest}, {folder.metadata.name} says {stated}; "
                "submit the run again"
            )
    return SubmissionContent(folder, submission, files)


def _check_total(folder: SubmissionFolder, size: int) -> None:
    if size > MAX_BYTES:
        raise SubmissionError(f"{folder.path} is too large; a submission has at most {MAX_BYTES:,} bytes")


def parse_metadata(path: Path, content: bytes) -> Submission:
    """Return the metadata in a file.

    Raises:
        SubmissionError: They do not fit the schema.
    """
    parse_json(content, str(path), METADATA_VALUES)
    try:
        return Submission.model_validate_json(content, strict=True)
    except ValidationError as error:
        problems = validation_problems(error, MAX_PROBLEMS)
        raise SubmissionError(f"{path} does not fit its schema: {'; '.join(problems)}") from error


def _record(kind: type[R], content: bytes, where: str) -> R:
    try:
        return kind.model_validate_json(content, strict=True)
    except ValidationError as error:
        raise SubmissionError(f"{where} does not fit its schema: {validation_message(error)}") from error

"""Episode records, in the common form of run folders and submissions, and the result they belong to."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from pydantic import Field, ValidationError

from ictbench.choices import FailureKind
from ictbench.errors import RunFolderError, SubmissionError
from ictbench.records import MEMORY_BYTES, MEMORY_VALUES, End, EpisodeSummary, Memory, Progress, Record, Task, Usage
from ictbench.runs import load_run
from ictbench.runs.run_folder import RunFolder
from ictbench.safe_read import SizeLimits, chunks_of, read_lines, reading, unpack
from ictbench.validation import validation_message

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from ictbench.records import Episode
    from ictbench.results import Result

RUN_LIMITS = SizeLimits(unpacked=100_000_000_000, ratio=2_000, lines=100_000_000, line=50_000_000, values=1_000_000)
"""Limits on the records of a run. A run may be large, since one line at a time is read; thoughts may be long."""

MEMORY_LIMITS = SizeLimits(
    unpacked=2_000_000_000, ratio=2_000, lines=100_000, line=MEMORY_BYTES + 1_000, values=MEMORY_VALUES
)
"""Limits on the memories of a run."""

RUN_DIGITS, SUBMISSION_DIGITS = 16, 8
"""Hexadecimal digits of an observation's hash. Eight miss one change in 4,000 million and halve the file."""

ShortDigest = Annotated[str, Field(pattern="^(?:[0-9a-f]{8}|[0-9a-f]{16})$")]
"""Digest of an observation. A shorter one would match other observations, an empty one all of them."""

OptionalDigest = Annotated[str, Field(pattern="^(?:[0-9a-f]{8}|[0-9a-f]{16})?$")]


class RecordedStep(Record):
    """One decision, without the observation."""

    digest: ShortDigest
    """Digest of the raw observation before the decision."""
    thought: str = ""
    proposed: str | None = None
    """Proposed action; a submission omits it if it equals the executed one."""
    executed: str | None
    keys: tuple[str, ...] = ()
    reward: float = 0.0


class RecordedTrajectory(Record):
    """One episode, without its observations."""

    steps: tuple[RecordedStep, ...]
    last_digest: ShortDigest
    end: End
    failure: FailureKind | None = None


class EpisodeRecord(Record):
    """Line of `episodes.jsonl.gz`: what is needed to replay an episode without a model."""

    key: str
    task: Task
    prompt: str
    """Digest of the prompt."""
    seed: int
    replicate: int = 0
    trajectory: RecordedTrajectory
    usage: Usage = Usage()
    versions: dict[str, str]
    start: OptionalDigest = Field(default="", exclude_if=lambda digest: not digest)
    """Digest of what distinguishes the start; empty if it is the whole first observation."""
    added: str = Field(default="", exclude_if=lambda text: not text)
    """Text that the learner's memory added to the prompt."""
    progress: Progress | None = Field(default=None, exclude_if=lambda progress: progress is None)
    """Progress at the end; None if the environment does not measure it, or an older version of ictbench did not."""

    def summary(self) -> EpisodeSummary:
        """Return the part that the measures need."""
        trajectory = self.trajectory
        return EpisodeSummary(
            key=self.key,
            end=trajectory.end,
            failure=trajectory.failure,
            decisions=len(trajectory.steps),
            invalid=sum(step.executed is None for step in trajectory.steps),
            first_digest=trajectory.steps[0].digest if trajectory.steps else trajectory.last_digest,
            usage=self.usage,
            start=self.start,
            added_bytes=len(self.added.encode()),
            progress=self.progress,
        )


@dataclass(frozen=True, slots=True)
class Evidence:
    """A result with the episode records that support it."""

    result: Result
    episodes: Callable[[], Iterator[EpisodeRecord]]
    """Returns an iterator that reads the records from the file, in its order."""
    digits: int
    """Hexadecimal digits of each observation's hash."""
    shown_episodes: Callable[[], Iterator[Episode]] = lambda: iter(())
    """Returns an iterator over the episodes that a submission shows in full; none for a run."""
    memories: Callable[[], Iterator[Memory]] = lambda: iter(())
    """Returns an iterator over the memories of a learner of the division `memory`."""


def evidence_of_run(folder: Path) -> Evidence:
    """Read a run's result and `episodes.jsonl.gz`; the journal is not read.

    Iterating over the records raises RunFolderError if they are damaged.

    Raises:
        RunFolderError: The folder is not a run folder, or its run has no result yet.
        ResultError: The result is damaged.
    """
    run = RunFolder(folder)
    return Evidence(
        load_run(folder).result, lambda: _records(run.episodes), RUN_DIGITS, memories=lambda: memories_in(run.memories)
    )


def memories_in(path: Path) -> Iterator[Memory]:
    """Yield the memories in a file, none if there is no file.

    Raises:
        RunFolderError: A line is not a memory, or its digest is not that of its value.
    """
    if not path.exists():
        return
    with reading(RunFolderError):
        for place, line in read_lines(chunks_of(path), str(path), MEMORY_LIMITS):
            yield memory_of(line, place)


def memory_of(line: bytes, place: str) -> Memory:
    """Return the memory in a line.

    Raises:
        SubmissionError: It is not a memory, or its digest is not that of its value.
    """
    try:
        memory = Memory.model_validate_json(line, strict=True)
    except ValidationError as error:
        raise SubmissionError(f"{place} is not a memory: {validation_message(error)}") from error
    if memory.value is None or memory.digest != (digest := Memory.of(memory.value).digest):
        stated = "null is no memory" if memory.value is None else f"its digest is {digest}, not {memory.digest!r:.40}"
        raise SubmissionError(f"{place}: {stated}")
    return memory


def records_digest(path: Path) -> str:
    """Return the SHA-256 of the uncompressed records of a run.

    Raises:
        RunFolderError: The file cannot be read.
    """
    digest = hashlib.sha256()
    with reading(RunFolderError):
        for piece in unpack(chunks_of(path), str(path), RUN_LIMITS):
            digest.update(piece)
    return digest.hexdigest()


def _records(path: Path) -> Iterator[EpisodeRecord]:
    with reading(RunFolderError):
        for place, line in read_lines(chunks_of(path), str(path), RUN_LIMITS):
            try:
                yield EpisodeRecord.model_validate_json(line)
            except ValidationError as error:
                raise RunFolderError(f"{place} is not an episode record: {validation_message(error)}") from error

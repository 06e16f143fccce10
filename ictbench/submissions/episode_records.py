"""A result and the episodes it rests on, as a run's folder and a submission's hold them alike."""

from __future__ import annotations

import gzip
import zlib
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from pydantic import Field, ValidationError

from ictbench.choices import FailureKind
from ictbench.errors import RunFolderError
from ictbench.records import End, EpisodeSummary, Record, Task, Usage, validation_message
from ictbench.runs import load_run
from ictbench.runs.run_folder import RunFolder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from ictbench.results import Result

RUN_DIGITS, SUBMISSION_DIGITS = 16, 8
"""Hexadecimal digits of an observation's hash. Eight find any change but one in 4,000 million; they halve the file."""

ShortDigest = Annotated[str, Field(pattern="^(?:[0-9a-f]{8}|[0-9a-f]{16})$")]
"""Of an observation. A shorter one would let others pass, an empty one any."""


class RecordedStep(Record):
    """One decision, without what was seen."""

    digest: ShortDigest
    """Of the raw observation that the decision was taken on."""
    thought: str = ""
    proposed: str | None = None
    """A submission leaves out what was executed as proposed."""
    executed: str | None
    keys: tuple[str, ...] = ()
    reward: float = 0.0


class RecordedTrajectory(Record):
    """One episode, without what was seen."""

    steps: tuple[RecordedStep, ...]
    last_digest: ShortDigest
    end: End
    failure: FailureKind | None = None


class EpisodeRecord(Record):
    """A line of `episodes.jsonl.gz`: what is needed to play an episode again without a model."""

    key: str
    task: Task
    prompt: str
    """Digest of the prompt."""
    seed: int
    replicate: int = 0
    trajectory: RecordedTrajectory
    usage: Usage = Usage()
    versions: dict[str, str]

    def summary(self) -> EpisodeSummary:
        """What measures need of it."""
        trajectory = self.trajectory
        return EpisodeSummary(
            key=self.key,
            end=trajectory.end,
            failure=trajectory.failure,
            decisions=len(trajectory.steps),
            invalid=sum(step.executed is None for step in trajectory.steps),
            first_digest=trajectory.steps[0].digest if trajectory.steps else trajectory.last_digest,
            usage=self.usage,
        )


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a result claims, and what it rests on."""

    result: Result
    episodes: Callable[[], Iterator[EpisodeRecord]]
    """Reads the records anew, one at a time, in the order of the file."""
    digits: int
    """Hexadecimal digits of each observation's hash."""


def evidence_of_run(folder: Path) -> Evidence:
    """A run's result with its `episodes.jsonl.gz`; the journal is not read.

    Reading the records raises RunFolderError where they are damaged.

    Raises:
        RunFolderError: it is no run's folder, or its run has no result yet.
        ResultError: its result is damaged.
    """
    return Evidence(load_run(folder).result, lambda: _records(RunFolder(folder).episodes), RUN_DIGITS)


def _records(path: Path) -> Iterator[EpisodeRecord]:
    with open_episodes(path) as file:
        for number, line in enumerate(file, 1):
            try:
                yield EpisodeRecord.model_validate_json(line)
            except ValidationError as error:
                raise RunFolderError(
                    f"{path}, line {number} is no episode's record: {validation_message(error)}"
                ) from error


@contextmanager
def open_episodes(path: Path) -> Iterator[gzip.GzipFile]:
    """Open a run's `episodes.jsonl.gz`.

    Raises:
        RunFolderError: it cannot be read.
    """
    try:
        with gzip.open(path) as file:
            yield file
    except (OSError, EOFError, zlib.error) as error:
        raise RunFolderError(f"{path} cannot be read: {error}") from error

"""The evidence that lies in a run's folder."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pydantic import ValidationError

from ictbench.errors import RunFolderError
from ictbench.leaderboard.evidence import RUN_DIGITS, EpisodeRecord, Evidence
from ictbench.leaderboard.findings import Findings
from ictbench.runner import load_run
from ictbench.runner.folder import RunFolder
from ictbench.suites.load import describe

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ictbench.leaderboard.verification import Check


def evidence_of_run(folder: Path) -> Evidence:
    """A run's result with its `episodes.jsonl.gz`; the journal is not read.

    Reading the records raises RunFolderError where they are damaged.

    Raises:
        RunFolderError: it is no run's folder, or its run has no result yet.
        ResultError: its result is damaged.
    """
    return Evidence(load_run(folder).result, lambda: _records(RunFolder(folder).episodes), RUN_DIGITS)


def check_episodes_file(folder: Path) -> Check:
    """Whether a run's records are those that its result was written with."""
    found = Findings("episodes file")
    path, digest = RunFolder(folder).episodes, hashlib.sha256()
    with _opened(path) as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    if digest.hexdigest() != (stated := load_run(folder).result.episodes_sha256):
        found.add(f"its SHA-256 is {digest.hexdigest()}, the result says {stated}")
    return found.check(f"SHA-256 {digest.hexdigest()[:12]}, as the result says")


def _records(path: Path) -> Iterator[EpisodeRecord]:
    with _opened(path) as file:
        for number, line in enumerate(file, 1):
            try:
                yield EpisodeRecord.model_validate_json(line)
            except ValidationError as error:
                raise RunFolderError(f"{path}, line {number} is no episode's record: {describe(error)}") from error


@contextmanager
def _opened(path: Path) -> Iterator[gzip.GzipFile]:
    try:
        with gzip.open(path) as file:
            yield file
    except (OSError, EOFError, zlib.error) as error:
        raise RunFolderError(f"{path} cannot be read: {error}") from error

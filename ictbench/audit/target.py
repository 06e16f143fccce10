"""What is looked at: a run or a submission, and the suite that it is held against."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ictbench.audit.findings import Findings, shown
from ictbench.errors import SubmissionError, UnknownNameError
from ictbench.runs import load_run
from ictbench.runs.run_folder import RunFolder
from ictbench.submissions.episode_records import evidence_of_run, open_episodes
from ictbench.submissions.layout import BoardFolder, SubmissionFolder
from ictbench.submissions.read_submission import evidence_of_submission, read_submission
from ictbench.suites import list_suites, load_suite

if TYPE_CHECKING:
    from pathlib import Path

    from ictbench.audit.verification import Check
    from ictbench.results import Result
    from ictbench.submissions.episode_records import Evidence
    from ictbench.submissions.layout import Badge
    from ictbench.suites import Suite


@dataclass(frozen=True, slots=True)
class Target:
    """What is looked at."""

    evidence: Evidence
    submission: str | None
    """Digest of the submission; None of a run."""
    own_checks: tuple[Check, ...] = ()
    """Checks that only its kind has."""

    @property
    def digest(self) -> str:
        """Of the submission, or the result's checksum."""
        return self.submission or self.evidence.result.checksum


def read_target(path: Path) -> Target:
    """A run or a submission from its folder.

    Raises:
        UsageError: it is neither, or cannot be read.
    """
    folder = SubmissionFolder(path)
    if folder.metadata.exists():
        return Target(evidence_of_submission(folder), read_submission(folder).digest)
    if RunFolder(path).config.exists():
        return Target(evidence_of_run(path), None, (check_episodes_file(path),))
    raise SubmissionError(
        f"{path} is neither the folder of a run (with run.json) nor of a submission (with submission.json)"
    )


def local_suite(result: Result, named: str | Path | None) -> Suite:
    """The suite as it is here. What a result names is looked up and never opened: it may be any path.

    Raises:
        UnknownNameError: it does not ship, and no file is named.
    """
    if named is not None:
        return load_suite(named)
    if result.suite.name not in list_suites():
        raise UnknownNameError(f"no suite {shown(result.suite.name)} ships with ictbench; name its file with --suite")
    return load_suite(result.suite.name)


def record_path(path: Path, badge: Badge) -> Path:
    """Where a record of the board belongs: its own folder, or that of a run; never a submission's.

    Raises:
        SubmissionError: the submission is not in a board's folder.
    """
    path = path.resolve()
    if not SubmissionFolder(path).metadata.exists():
        return path / {"replayed": "verification.json", "rerun": "rerun.json"}[badge]
    board = BoardFolder(path.parent.parent)
    if path.parent != board.submissions:
        raise SubmissionError(f"{path} is in no board's submissions/ folder; name a file with --out")
    return board.verification(path.name, badge)


def check_packages(result: Result, versions: dict[str, str]) -> Check:
    """Whether the environment's packages are here as they were there."""
    found = Findings("packages")
    for name in sorted({*result.versions, *versions}):
        if (theirs := result.versions.get(name)) != (ours := versions.get(name)):
            found.add(f"played with {name} {shown(theirs)}, and here is {shown(ours)}: install the same")
    return found.check(", ".join(f"{name} {version}" for name, version in versions.items()) or "none matter")


def check_episodes_file(folder: Path) -> Check:
    """Whether a run's records are those that its result was written with."""
    found = Findings("episodes file")
    path, digest = RunFolder(folder).episodes, hashlib.sha256()
    with open_episodes(path) as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    if digest.hexdigest() != (stated := load_run(folder).result.episodes_sha256):
        found.add(f"its SHA-256 is {digest.hexdigest()}, the result says {stated}")
    return found.check(f"SHA-256 {digest.hexdigest()[:12]}, as the result says")

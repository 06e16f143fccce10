"""Target of a verification or a rerun: a run or a submission, with the suite it belongs to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ictbench.audit.findings import Findings, quote
from ictbench.errors import ConfigError, RunFolderError, SubmissionError, UnknownNameError
from ictbench.runs import load_run
from ictbench.runs.run_folder import RunFolder, missing_path
from ictbench.submissions.episode_records import evidence_of_run, records_digest
from ictbench.submissions.layout import BoardFolder, SubmissionFolder
from ictbench.submissions.read_submission import read_content
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
    """A run or a submission, read from its folder."""

    evidence: Evidence
    submission: str | None
    """Digest of the submission; None for a run."""
    own_checks: tuple[Check, ...] = ()
    """Checks that exist only for this kind of target."""

    @property
    def digest(self) -> str:
        """Digest of the submission, or checksum of the run's result."""
        return self.submission or self.evidence.result.checksum


def read_target(path: Path) -> Target:
    """Read a run or a submission from its folder.

    Raises:
        UsageError: The folder is neither, or cannot be read.
    """
    folder = SubmissionFolder(path)
    if folder.metadata.exists():
        content = read_content(folder)
        return Target(content.evidence, content.submission.digest)
    if RunFolder(path).config.exists():
        return Target(evidence_of_run(path), None, (check_configuration(path), check_episodes_file(path)))
    if not path.exists():
        raise RunFolderError(
            missing_path(path, "the folder of a run or of a submission", ("run.json", "submission.json"))
        )
    raise SubmissionError(
        f"{path} is neither the folder of a run (with run.json) nor of a submission (with submission.json)"
    )


def local_suite(result: Result, file: str | Path | None) -> Suite:
    """Return the suite of a result as it is defined on this machine.

    The name in a result may be any path, so it is looked up among the installed suites and never opened.

    Raises:
        UnknownNameError: The suite is not installed, and no file is given.
    """
    if file is not None:
        return load_suite(file)
    if result.suite.name not in list_suites():
        raise UnknownNameError(
            f"suite {quote(result.suite.name)} is not installed here; install its package, or name its file with "
            "--suite"
        )
    return load_suite(result.suite.name)


def check_deterministic(suite: Suite) -> None:
    """Check that recorded actions lead to the recorded observations again.

    Raises:
        ConfigError: The suite says that its environment is not deterministic.
    """
    if not suite.deterministic:
        raise ConfigError(
            f"suite {suite.name} is not verifiable: its environment is not deterministic (`deterministic: false`), so "
            "a replay of the recorded actions proves nothing"
        )


def record_path(path: Path, badge: Badge) -> Path:
    """Return where the record of a verification belongs: in the run, or in the board, never in the submission.

    Raises:
        SubmissionError: The submission does not lie in the folder of a board.
    """
    path = path.resolve()
    if not SubmissionFolder(path).metadata.exists():
        return path / {"replayed": "verification.json", "rerun": "rerun.json"}[badge]
    board = BoardFolder(path.parent.parent)
    if path.parent != board.submissions:
        raise SubmissionError(f"{path} is not in the submissions/ folder of a board; name a file with --record")
    return board.verification(path.name, badge)


def check_packages(result: Result, versions: dict[str, str]) -> Check:
    """Check that the environment's packages have the versions that the result was played with."""
    findings = Findings("packages")
    for name in sorted({*result.versions, *versions}):
        if (played := result.versions.get(name)) != (installed := versions.get(name)):
            findings.add(f"played with {name} {quote(played)}, and here is {quote(installed)}: install the same")
    return findings.check(", ".join(f"{name} {version}" for name, version in versions.items()) or "none matter")


def check_episodes_file(folder: Path) -> Check:
    """Check that the records of a run are those that its result was written with."""
    findings = Findings("episodes file")
    digest = records_digest(RunFolder(folder).episodes)
    if digest != (expected := load_run(folder).result.episodes_sha256):
        findings.add(f"its SHA-256 is {digest}, and the result says {expected}")
    return findings.check(f"SHA-256 {digest[:12]}, as the result says")


def check_configuration(folder: Path) -> Check:
    """Check that the configuration of a run is that of its result."""
    findings = Findings("configuration")
    result, config = load_run(folder).result, RunFolder(folder).read_config()
    expected = {
        "suite": result.suite.name,
        "suite_digest": result.suite.digest,
        "profile": result.profile,
        "families": [family.name for family in result.families],
        **result.sizes.model_dump(mode="json"),
    }
    for name, value in expected.items():
        if name in config and config[name] != value:
            findings.add(f"{name} is {quote(str(config[name]))} in run.json, and the result says {quote(str(value))}")
    return findings.check("run.json and the result agree on suite, profile, families and sizes")

"""`ictbench.verify`: everything that can be found out about a result without its models."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ictbench import __version__
from ictbench.engine import cores
from ictbench.errors import ConfigError, SubmissionError, UnknownNameError
from ictbench.leaderboard.board_folder import BoardFolder, SubmissionFolder
from ictbench.leaderboard.claims import make_plans
from ictbench.leaderboard.findings import Findings, shown
from ictbench.leaderboard.reading import evidence_of_submission, read_submission
from ictbench.leaderboard.recompute import recheck
from ictbench.leaderboard.replay import draw, replay
from ictbench.leaderboard.run_evidence import check_episodes_file, evidence_of_run
from ictbench.leaderboard.verification import Check, Replayed, Verification
from ictbench.resolve import resolve
from ictbench.runner.folder import RunFolder, write_atomically
from ictbench.suites import list_suites, load_suite

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ictbench.leaderboard.claims import Plans
    from ictbench.leaderboard.evidence import Evidence
    from ictbench.results import Result
    from ictbench.suites import Suite

SAMPLE = 500
"""Episodes of a submission that are played again unless it is said otherwise: where 1 % were forged, one of them is
among these with a chance of 99 %. Of a run all are."""

PATIENCE = 120.0
"""Seconds that a few episodes may take before their environment counts as hanging."""


def verify(
    path: str | Path,
    *,
    sample: int | Literal["all"] | None = None,
    workers: int | None = None,
    suite: str | Path | None = None,
    salt: str | None = None,
    by: str = "",
    on_check: Callable[[Check], None] = lambda check: None,
    on_played: Callable[[int, int], None] = lambda episodes, of: None,
) -> Verification:
    """Verify a run or a submission: work its result out anew from its records, and play the recorded actions again.

    Nothing that it holds is imported or executed. Where the records do not hold, none is played.

    Args:
        path: a run's folder, or a submission's.
        sample: how many episodes are played again, drawn at random; None for all of a run and 500 of a submission.
        workers: processes that play; None for as many as there are cores.
        suite: file of the suite, where it does not ship with ictbench.
        salt: part of what the sample is drawn by, so that a submitter cannot foresee it; None for a random one.
        by: who says so, for the record.
        on_check: told each check as it is made.
        on_played: told now and then how many episodes were just played, and of how many.

    Raises:
        UsageError: it is neither, or cannot be read; or a suite, a package or a game is missing here.
    """
    if isinstance(sample, int) and sample < 1:
        raise ConfigError(f"a sample has at least 1 episode, not {sample}")
    subject = _subject(Path(path))
    ours = _our_suite(subject.evidence.result, suite)
    checks = _Checks(on_check)
    for check in (*subject.own, *recheck(subject.evidence, ours)):
        checks.add(check)
    versions: dict[str, str] = {}
    replayed = None
    if checks.sound:
        plans = make_plans(subject.evidence.result, ours)
        versions = _versions(ours, plans)
        if checks.add(_check_versions(subject.evidence.result, versions)):
            drawing = _drawing(subject, sample, salt)
            replayed = _play_again(subject.evidence, plans, drawing, workers or cores(), checks, on_played)
    if replayed is None:
        checks.add(Check(name="replay", verdict="skipped", detail="nothing is played where the above does not hold"))
    return Verification(
        schema="ictbench.verification/1",
        badge="replayed",
        submission=subject.submission,
        result=subject.evidence.result.checksum,
        passed=all(check.verdict != "failed" for check in checks.made),
        checks=tuple(checks.made),
        replayed=replayed,
        ictbench=__version__,
        versions=versions,
        date=datetime.now(UTC).replace(microsecond=0),
        by=by,
    )


def place_of(path: str | Path) -> Path:
    """Where the record of a verification belongs: a run's folder, or the board's own, but never a submission's.

    Raises:
        SubmissionError: the submission is not in a board's folder.
    """
    path = Path(path).resolve()
    if not SubmissionFolder(path).metadata.exists():
        return path / "verification.json"
    if path.parent.name != BoardFolder(path.parent.parent).submissions.name:
        raise SubmissionError(f"{path} is in no board's submissions/ folder; name a file with --out")
    return BoardFolder(path.parent.parent).verification(path.name, "replayed")


@dataclass
class _Checks:
    """Those that were made, each told at once."""

    tell: Callable[[Check], None]
    made: list[Check] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        """Whether the records hold, so that it is worth playing. A leak is a matter for people."""
        return all(check.verdict == "passed" or check.name.startswith("leaked") for check in self.made)

    def add(self, check: Check) -> bool:
        """Whether it passed."""
        self.made.append(check)
        self.tell(check)
        return check.verdict == "passed"


@dataclass(frozen=True, slots=True)
class _Subject:
    """What is looked at."""

    evidence: Evidence
    submission: str | None
    """Digest of the submission; None of a run."""
    own: Iterable[Check] = ()
    """Checks that only its kind has."""


def _subject(path: Path) -> _Subject:
    folder = SubmissionFolder(path)
    if folder.metadata.exists():
        return _Subject(evidence_of_submission(folder), read_submission(folder).digest)
    if RunFolder(path).config.exists():
        return _Subject(evidence_of_run(path), None, [check_episodes_file(path)])
    raise SubmissionError(f"{path} is neither a run's folder, with run.json, nor a submission's, with submission.json")


def _our_suite(result: Result, named: str | Path | None) -> Suite:
    """The suite as it is here. What a result names is looked up and never opened: it may be any path."""
    if named is not None:
        return load_suite(named)
    if result.suite.name not in list_suites():
        raise UnknownNameError(f"no suite {shown(result.suite.name)} ships with ictbench; name its file with --suite")
    return load_suite(result.suite.name)


def _versions(suite: Suite, plans: Plans) -> dict[str, str]:
    """Of the environment's packages, which must be here, and so must its games.

    Raises:
        UsageError: they are not.
    """
    env_class = resolve("env", suite.env)
    env = env_class()
    versions: dict[str, str] = env.versions()
    env.close()
    if missing := env_class.unplayable({task.id: task for plan in plans.values() for task in plan.tasks}.values()):
        raise ConfigError(missing)
    return versions


def _check_versions(result: Result, versions: dict[str, str]) -> Check:
    found = Findings("packages")
    for name in sorted({*result.versions, *versions}):
        if (theirs := result.versions.get(name)) != (ours := versions.get(name)):
            found.add(f"played with {name} {shown(theirs)}, and here is {shown(ours)}: install the same")
    return found.check(", ".join(f"{name} {version}" for name, version in versions.items()) or "none matter")


def _drawing(subject: _Subject, sample: int | Literal["all"] | None, salt: str | None) -> tuple[int, str] | None:
    """How many episodes are drawn, and by what; None for all."""
    if sample is None:
        sample = SAMPLE if subject.submission else "all"
    digest = subject.submission or subject.evidence.result.checksum
    return None if sample == "all" else (sample, f"{digest[:16]}-{salt or secrets.token_hex(8)}")


def _play_again(
    evidence: Evidence,
    plans: Plans,
    drawing: tuple[int, str] | None,
    workers: int,
    checks: _Checks,
    on_played: Callable[[int, int], None],
) -> Replayed:
    keys = [record.key for record in evidence.episodes()]
    chosen = draw(keys, *drawing) if drawing else None
    count = len(keys if chosen is None else chosen)
    found = replay(
        evidence,
        {task.id: task for plan in plans.values() for task in plan.tasks},
        chosen=chosen,
        workers=workers,
        patience=PATIENCE,
        on_played=lambda episodes: on_played(episodes, count),
    )
    for check in found.checks:
        checks.add(check)
    return Replayed(
        episodes=found.episodes,
        of=len(keys),
        decisions=found.decisions,
        sample_seed=drawing[1] if drawing else None,
    )


def store(verification: Verification, path: Path) -> None:
    """Write a record.

    Raises:
        ConfigError: it cannot be written there.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, verification.model_dump_json(indent=1, by_alias=True) + "\n")
    except OSError as error:
        raise ConfigError(f"{path} cannot be written ({error.strerror}); name a file with --out") from error

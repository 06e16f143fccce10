"""`ictbench.verify`: everything that can be found out about a result without its models."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ictbench._version import __version__
from ictbench.audit.prompt_leaks import check_leaks
from ictbench.audit.recompute import recheck
from ictbench.audit.replay import draw, replay
from ictbench.audit.result_checks import make_plans
from ictbench.audit.target import Target, check_packages, local_suite, read_target
from ictbench.audit.verification import ENOUGH, Check, Replayed, Verification
from ictbench.errors import ConfigError
from ictbench.plugins import resolve
from ictbench.rollout import cores

if TYPE_CHECKING:
    from collections.abc import Callable

    from ictbench.audit.result_checks import Plans
    from ictbench.submissions.episode_records import Evidence
    from ictbench.suites import Suite

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
    subject = read_target(Path(path))
    ours = local_suite(subject.evidence.result, suite)
    checks = _Checks(on_check)
    for check in (*subject.own, *recheck(subject.evidence, ours)):
        checks.add(check)
    versions: dict[str, str] = {}
    replayed = None
    if checks.passed:
        plans = make_plans(subject.evidence.result, ours)
        # What leaked is told, and played all the same.
        for check in check_leaks(subject.evidence, ours, plans):
            checks.add(check)
        versions = _versions(ours, plans)
        if checks.add(check_packages(subject.evidence.result, versions)):
            drawing = _drawing(subject, sample, salt)
            replayed = _play_again(subject.evidence, plans, drawing, workers or cores(), checks, on_played)
    if replayed is None:
        checks.add(Check(name="replay", verdict="skipped", detail="nothing is played where the above does not hold"))
    return Verification(
        schema="ictbench.verification/1",
        badge="replayed",
        submission=subject.submission,
        result=subject.evidence.result.checksum,
        passed=checks.passed,
        checks=tuple(checks.made),
        replayed=replayed,
        ictbench=__version__,
        versions=versions,
        date=datetime.now(UTC).replace(microsecond=0),
        by=by,
    )


@dataclass
class _Checks:
    """Those that were made, each told at once."""

    tell: Callable[[Check], None]
    made: list[Check] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """Whether none failed so far."""
        return all(check.verdict != "failed" for check in self.made)

    def add(self, check: Check) -> bool:
        """Whether it passed."""
        self.made.append(check)
        self.tell(check)
        return check.verdict == "passed"


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


def _drawing(subject: Target, sample: int | Literal["all"] | None, salt: str | None) -> tuple[int, str] | None:
    """How many episodes are drawn, and by what; None for all."""
    if sample is None:
        sample = ENOUGH if subject.submission else "all"
    return None if sample == "all" else (sample, f"{subject.digest[:16]}-{salt or secrets.token_hex(8)}")


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

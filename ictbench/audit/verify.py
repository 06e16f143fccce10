"""Verification of a run or a submission without its models: `ictbench.verify`."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Unpack

from ictbench._version import __version__
from ictbench.audit.prompt_leaks import check_leaks
from ictbench.audit.recompute import recompute
from ictbench.audit.replay import draw_sample, replay
from ictbench.audit.result_checks import make_plans
from ictbench.audit.shown_checks import check_shown
from ictbench.audit.target import Target, check_deterministic, check_packages, local_suite, read_target
from ictbench.audit.verification import BADGE_SAMPLE, Check, Replayed, Verification
from ictbench.envs import checked_versions
from ictbench.errors import ConfigError
from ictbench.runs import Run
from ictbench.runs.options import Options, check_caller
from ictbench.user_folders import expand_home

if TYPE_CHECKING:
    from collections.abc import Callable

    from ictbench.audit.result_checks import Plans
    from ictbench.records import Task
    from ictbench.runs.option_types import VerifyOptions
    from ictbench.submissions.episode_records import Evidence
    from ictbench.suites import Suite


def verify(
    path: str | Path | Run,
    *,
    sample: int | Literal["all"] | None = None,
    suite: str | Path | None = None,
    salt: str | None = None,
    by: str = "",
    on_check: Callable[[Check], None] = lambda check: None,
    on_played: Callable[[int, int], None] = lambda episodes, of: None,
    **options: Unpack[VerifyOptions],
) -> Verification:
    """Verify a run or a submission: recompute its result from its records, then replay the recorded actions.

    Nothing that the target contains is imported or executed. If the records do not support the result, no episode is
    replayed.

    Args:
        path: A run, its folder, or that of a submission.
        sample: Number of episodes to replay, drawn at random; None for all of a run and 500 of a submission.
        suite: File of the suite, if it is not installed.
        salt: Part of the seed of the sample, which keeps a submitter from predicting it; None for a random one.
        by: Name of the verifier, for the record.
        on_check: Called with each check as soon as it is made.
        on_played: Called with the number of episodes just replayed, and with the number of all that will be.
        options: Where episodes are replayed, as in `ictbench.run`: `executor`, `workers`, `ray_address`,
            `worker_resources`, `env_timeout` (seconds an episode may take before its environment counts as hanging).

    Raises:
        UsageError: The target cannot be read; a suite, a package or a game is missing; or an option is invalid.
        WorkerError: No worker can be started.
    """
    if isinstance(sample, int) and sample < 1:
        raise ConfigError(f"a sample has at least 1 episode, not {sample}")
    check_caller("verify", options)
    play_options = Options.parse(options)
    if not isinstance(path, Run | str | Path):
        raise ConfigError(f"{path!r:.80} has no episodes to verify; give a run, or the folder of a run or a submission")
    target = read_target(path.folder if isinstance(path, Run) else expand_home(path))
    own_suite = local_suite(target.evidence.result, suite)
    check_deterministic(own_suite)
    checks = _Checks(on_check)
    for check in (*target.own_checks, *recompute(target.evidence, own_suite)):
        checks.add(check)
    versions: dict[str, str] = {}
    replayed = None
    if checks.passed:
        plans = make_plans(target.evidence.result, own_suite)
        # A leak is reported, but does not prevent the replay.
        for check in check_leaks(target.evidence, own_suite, plans):
            checks.add(check)
        if target.submission:
            checks.add(check_shown(target.evidence))
        versions = _env_versions(own_suite, plans)
        if checks.add(check_packages(target.evidence.result, versions)):
            seeded_sample = _sample_seed(target, sample, salt)
            replayed = _replay(target.evidence, _tasks(plans), seeded_sample, play_options, checks, on_played)
    if replayed is None:
        checks.add(Check(name="replay", verdict="skipped", detail="nothing is played where the above does not hold"))
    return Verification(
        schema="ictbench.verification/1",
        badge="replayed",
        submission=target.submission,
        result=target.evidence.result.checksum,
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
    """Checks made so far, each reported at once."""

    report: Callable[[Check], None]
    made: list[Check] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """Whether no check has failed so far."""
        return all(check.verdict != "failed" for check in self.made)

    def add(self, check: Check) -> bool:
        """Add a check and return whether it passed."""
        self.made.append(check)
        self.report(check)
        return check.verdict == "passed"


def _env_versions(suite: Suite, plans: Plans) -> dict[str, str]:
    """Return the versions of the environment's packages, after checking that all tasks can be played here.

    Raises:
        UsageError: A package or a game is missing.
    """
    return checked_versions(suite.env, _tasks(plans).values())


def _tasks(plans: Plans) -> dict[str, Task]:
    return {task.id: task for plan in plans.values() for task in plan.tasks}


def _sample_seed(target: Target, sample: int | Literal["all"] | None, salt: str | None) -> tuple[int, str] | None:
    """Return the size of the sample and the seed to draw it with; None for all episodes."""
    if sample is None:
        sample = BADGE_SAMPLE if target.submission else "all"
    return None if sample == "all" else (sample, f"{target.digest[:16]}-{salt or secrets.token_hex(8)}")


def _replay(
    evidence: Evidence,
    tasks: dict[str, Task],
    seeded_sample: tuple[int, str] | None,
    options: Options,
    checks: _Checks,
    on_played: Callable[[int, int], None],
) -> Replayed:
    keys = [record.key for record in evidence.episodes()]
    sample = None
    if seeded_sample:
        sample = draw_sample(keys, *seeded_sample) | {episode.key for episode in evidence.shown_episodes()}
    count = len(keys if sample is None else sample)
    outcome = replay(evidence, tasks, options, sample=sample, on_played=lambda episodes: on_played(episodes, count))
    for check in outcome.checks:
        checks.add(check)
    return Replayed(
        episodes=outcome.episodes,
        of=len(keys),
        decisions=outcome.decisions,
        sample_seed=seeded_sample[1] if seeded_sample else None,
        shown=outcome.shown or 0,
    )

"""Checks of one record: could `ictbench.rollout.episode` have played this episode?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ictbench.audit.findings import quote
from ictbench.audit.json_diff import differences, format_place
from ictbench.audit.usage_checks import episode_usage_problems
from ictbench.protocol import sampling_seed
from ictbench.records import episode_key
from ictbench.rollout.episode import match_action
from ictbench.submissions.known_players import is_program

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ictbench.records import Task
    from ictbench.submissions.episode_records import EpisodeRecord, Evidence, RecordedStep, RecordedTrajectory
    from ictbench.suites import Suite

HEX = frozenset("0123456789abcdef")

MAX_REWARD = 1e6
"""Maximum absolute reward of one decision. MiniHack and ALFWorld give at most 1."""

MAX_SECONDS = 1e9
"""Maximum wall time of a run."""


def record_problems(record: EpisodeRecord, task: Task, evidence: Evidence, suite: Suite) -> Iterator[str]:
    """Yield what is impossible in a record; `task` is the suite's own task for the key of the record."""
    result, trajectory = evidence.result, record.trajectory
    if record.task != task:
        for place, value, expected in differences(record.task.model_dump(), task.model_dump(), ("task",)):
            yield f"{format_place(place)} is {quote(value)}, and the suite's own is {quote(expected)}"
    if record.key != episode_key(task.id, record.prompt, record.replicate):
        yield f"its key does not belong to prompt {quote(record.prompt)}, replicate {record.replicate}"
    if record.seed != (seed := sampling_seed(suite.digest, task.id, record.replicate)):
        yield f"its sampling seed is {record.seed}, not {seed}"
    for package, version in result.versions.items():
        if (recorded := record.versions.get(package)) != version:
            yield f"it was played with {package} {quote(recorded)}, and the run with {quote(version)}"
    yield from episode_usage_problems(record.usage, result.actor, trajectory)
    yield from _end_problems(trajectory, result.max_steps)
    if trajectory.end == "failed" and result.actor.model is None:
        yield f"it failed ({quote(trajectory.failure)}), but actor {quote(result.actor.label)} is a program"
    if trajectory.end == "solved" and record.progress not in (None, 1):
        yield f"it is solved, but its progress is {record.progress:g}"
    digests = [*(step.digest for step in trajectory.steps), trajectory.last_digest]
    hashes = [*digests, *([record.start] if record.start else [])]
    if invalid := [digest for digest in hashes if len(digest) != evidence.digits or not HEX.issuperset(digest)]:
        yield f"{quote(invalid[0])} is not a hash of {evidence.digits} hexadecimal digits"
    for number, (step, next_digest) in enumerate(zip(trajectory.steps, digests[1:], strict=True), 1):
        yield from (f"decision {number}: {problem}" for problem in _step_problems(step, next_digest))
    if is_program(result.actor) and any(step.executed is None for step in trajectory.steps):
        yield f"a decision was invalid, but actor {quote(result.actor.label)} chooses available actions only"


def start_of(record: EpisodeRecord) -> tuple[str, str]:
    """Return the hashes of the first observation and of what distinguishes the start, which a task determines."""
    steps = record.trajectory.steps
    return steps[0].digest if steps else record.trajectory.last_digest, record.start


def _end_problems(trajectory: RecordedTrajectory, max_steps: int) -> Iterator[str]:
    decisions, end = len(trajectory.steps), trajectory.end
    if decisions > max_steps:
        yield f"it has {decisions} decisions, of at most {max_steps}"
    if (end == "failed") != (trajectory.failure is not None):
        yield f"its end is {end}, its failure {quote(trajectory.failure)}"
    if end == "failed" and decisions == max_steps:
        yield f"it failed after all {max_steps} decisions, when the model was not called any more"
    if end == "step_limit" and decisions < max_steps:
        yield f"its end is the limit of {max_steps} decisions, after {decisions}"
    if end in ("solved", "died", "env_ended") and trajectory.steps and trajectory.steps[-1].executed is None:
        yield f"its end is {end}, after a decision that was not executed"


def _step_problems(step: RecordedStep, next_digest: str) -> Iterator[str]:
    if not abs(step.reward) <= MAX_REWARD:
        yield f"the reward is {step.reward:g}, and the largest possible one {MAX_REWARD:g}"
    if step.executed is None:
        if step.keys or step.reward:
            yield f"nothing was executed, but there are keys {quote(step.keys)} or a reward of {step.reward:g}"
        if step.digest != next_digest:
            yield "nothing was executed, but the next observation differs"
    elif step.proposed not in (None, step.executed) and match_action(step.proposed, [step.executed]) is None:
        yield f"{quote(step.executed)} was executed, and {quote(step.proposed)} proposed"

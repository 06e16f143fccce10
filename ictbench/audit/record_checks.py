"""Whether a record can be one of an episode that was played as `ictbench.rollout.episode` plays it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ictbench.audit.findings import shown
from ictbench.audit.json_diff import differences, in_words
from ictbench.protocol import sampling_seed
from ictbench.records import episode_key
from ictbench.rollout.episode import match_action

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ictbench.records import Task, Usage
    from ictbench.submissions.episode_records import EpisodeRecord, Evidence, RecordedStep, RecordedTrajectory
    from ictbench.suites import Suite

HEX = frozenset("0123456789abcdef")


def faults(record: EpisodeRecord, task: Task, evidence: Evidence, suite: Suite) -> Iterator[str]:
    """What cannot be, in words; `task` is the suite's own of the record's key."""
    result, trajectory = evidence.result, record.trajectory
    if record.task != task:
        for place, value, expected in differences(record.task.model_dump(), task.model_dump(), ("task",)):
            yield f"{in_words(place)} is {shown(value)}, and the suite's own {shown(expected)}"
    if record.replicate or record.key != episode_key(task.id, record.prompt):
        yield f"its key is of another prompt or replicate than {shown(record.prompt)}, {record.replicate}"
    if record.seed != (seed := sampling_seed(suite.digest, task.id, record.replicate)):
        yield f"its sampling seed is {record.seed}, not {seed}"
    for package, version in result.versions.items():
        if (found := record.versions.get(package)) != version:
            yield f"it was played with {package} {shown(found)}, and the run with {shown(version)}"
    if name := impossible(record.usage):
        yield f"its usage has {name} {getattr(record.usage, name)}"
    yield from _end_faults(trajectory, result.max_steps)
    digests = [*(step.digest for step in trajectory.steps), trajectory.last_digest]
    if wrong := [digest for digest in digests if len(digest) != evidence.digits or not HEX.issuperset(digest)]:
        yield f"{shown(wrong[0])} is no hash of {evidence.digits} hexadecimal digits"
    for number, (step, after) in enumerate(zip(trajectory.steps, digests[1:], strict=True), 1):
        yield from (f"decision {number}: {fault}" for fault in _step_faults(step, after))


def _end_faults(trajectory: RecordedTrajectory, max_steps: int) -> Iterator[str]:
    decisions, end = len(trajectory.steps), trajectory.end
    if decisions > max_steps:
        yield f"{decisions} decisions, of at most {max_steps}"
    if (end == "failed") != (trajectory.failure is not None):
        yield f"its end is {end}, its failure {shown(trajectory.failure)}"
    if end == "failed" and decisions == max_steps:
        yield f"it failed after all of {max_steps} decisions, when the model was not asked any more"
    if end == "step_limit" and decisions < max_steps:
        yield f"its end is the limit of {max_steps} decisions, after {decisions}"
    if end in ("solved", "died", "env_ended") and trajectory.steps and trajectory.steps[-1].executed is None:
        yield f"its end is {end}, after a decision that was not executed"


def _step_faults(step: RecordedStep, after: str) -> Iterator[str]:
    if not math.isfinite(step.reward):
        yield f"the reward is {step.reward}"
    if step.executed is None:
        if step.keys or step.reward:
            yield f"nothing was executed, but there are keys {shown(step.keys)} or a reward of {step.reward:g}"
        if step.digest != after:
            yield "nothing was executed, but the next observation is another one"
    elif step.proposed not in (None, step.executed) and match_action(step.proposed, [step.executed]) is None:
        yield f"{shown(step.executed)} was executed, and {shown(step.proposed)} proposed"


def first_digest(record: EpisodeRecord) -> str:
    """Hash of the first observation."""
    steps = record.trajectory.steps
    return steps[0].digest if steps else record.trajectory.last_digest


def impossible(usage: Usage) -> str | None:
    """The first figure of a usage that is negative or no number."""
    return next((name for name, value in usage if value is not None and not 0 <= value < math.inf), None)

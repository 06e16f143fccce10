"""Plays one recorded episode in the real environment, and says where the two part."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, get_args

from ictbench.audit.findings import shown
from ictbench.rollout.episode import match_action
from ictbench.submissions.pack import PROPOSED_CHARACTERS

if TYPE_CHECKING:
    from ictbench.envs import TextEnv
    from ictbench.records import Observation, Task
    from ictbench.submissions.episode_records import EpisodeRecord, RecordedStep

Aspect = Literal["played", "observations", "actions", "rewards", "ends", "versions"]
"""What may differ; `played` is an environment that broke."""

ASPECTS: tuple[Aspect, ...] = get_args(Aspect)


class Mismatch(NamedTuple):
    """The first difference of an episode; what comes after it follows from it."""

    aspect: Aspect
    key: str
    what: str


def play_back(env: TextEnv, task: Task, record: EpisodeRecord, digits: int) -> Mismatch | None:
    """The first difference between a record and what happens when its actions are played; None where there is none.

    Args:
        env: fits the task.
        task: the suite's own.
        record: of an episode of the task.
        digits: hexadecimal digits of each recorded hash.
    """
    observation = env.reset(task)
    trajectory = record.trajectory

    def differs(aspect: Aspect, what: str) -> Mismatch:
        return Mismatch(aspect, record.key, what)

    for number, step in enumerate(trajectory.steps, 1):
        where = f"decision {number}"
        if observation.end is not None:
            return differs("ends", f"the game is {observation.end} before {where} of {len(trajectory.steps)}")
        if (digest := observation.digest[:digits]) != step.digest:
            return differs("observations", f"{where} is taken on {digest}, not on {step.digest}")
        if wrong := _wrong_action(step, observation):
            return differs("actions", f"{where}: {wrong}")
        if step.executed is None:
            continue
        observation = env.step(step.executed)
        if (observation.reward, observation.keys) != (step.reward, step.keys):
            return differs(
                "rewards",
                f"{where}, {shown(step.executed)}, gives {observation.reward!r} by keys {shown(observation.keys)}, "
                f"not {step.reward!r} by {shown(step.keys)}",
            )
    if (digest := observation.digest[:digits]) != trajectory.last_digest:
        return differs("observations", f"the last one is {digest}, not {trajectory.last_digest}")
    # Whether the model failed, or the limit was reached, needs no playing: the game is just not over.
    over = None if trajectory.end in ("failed", "step_limit") else trajectory.end
    if observation.end != over:
        return differs("ends", f"it ends as {observation.end or 'not over'}, not as {trajectory.end}")
    if (versions := env.versions()) != record.versions:
        return differs("versions", f"played with {shown(versions)} here, and {shown(record.versions)} there")
    return None


def _wrong_action(step: RecordedStep, observation: Observation) -> str | None:
    if step.executed is not None and step.executed not in observation.actions:
        return f"{shown(step.executed)} is not available"
    if step.proposed in (None, step.executed) or len(step.proposed) >= PROPOSED_CHARACTERS:
        # It is left out where it was executed as it stands; and of one that was cut nothing can be said.
        return None
    if (match := match_action(step.proposed, observation.actions)) != step.executed:
        return f"{shown(step.proposed)} is the action {shown(match)}, and {shown(step.executed)} was executed"
    return None

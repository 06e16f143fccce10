"""Trajectories as text for a language model.

As in the paper, the text holds observations, actions, rewards and ends, but no thoughts, action lists or ids.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ictbench.reflectors.unlabelled_trajectory import UnlabelledTrajectory

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ictbench.choices import FailureKind
    from ictbench.records import Step, Trajectory

FAILURE_CAUSES: dict[FailureKind, str] = {
    "bad_request": "its request was rejected",
    "context_overflow": "the episode became too long for it",
    "refused": "it refused to answer",
    "empty": "it answered nothing",
    "truncated": "its answer did not end",
    "timeout": "it took too long",
}


def format_trajectories(trajectories: Sequence[Trajectory]) -> str:
    """Return the text of a batch: episodes numbered from 1, separated by blank lines."""
    return "\n\n".join(
        f"=== Episode {number} ===\n{format_trajectory(trajectory)}"
        for number, trajectory in enumerate(trajectories, start=1)
    )


def format_trajectory(trajectory: Trajectory) -> str:
    """Return the text of one episode: each observation and action, the last observation, and how it ended."""
    lines: list[str] = []
    for number, step in enumerate(trajectory.steps, start=1):
        lines += [f"Observation {number}:", step.observation, f"Action {number}: {_action_text(step)}"]
    lines += ["Last observation:", trajectory.last_observation]
    if isinstance(trajectory, UnlabelledTrajectory):
        return "\n".join(lines)
    lines += [f"Success: {'Yes' if trajectory.solved else 'No'}", f"Total reward: {trajectory.total_reward:g}"]
    lines.append(f"How it ended: {describe_end(trajectory)}")
    return "\n".join(lines)


def describe_end(trajectory: Trajectory) -> str:
    """Return how an episode ended, as a clause."""
    match trajectory.end:
        case "solved":
            return "the task was solved"
        case "died":
            return "the agent died"
        case "env_ended":
            return "the environment ended the episode without success"
        case "step_limit":
            return f"all {len(trajectory.steps)} actions were used up"
        case "failed":
            cause = FAILURE_CAUSES[trajectory.failure] if trajectory.failure else "it failed"
            return f"the agent could not go on: {cause}"


def _action_text(step: Step) -> str:
    if step.proposed is None:
        return "(none: the answer named no action, so nothing happened)"
    return step.proposed if step.executed is not None else f"{step.proposed} (invalid: nothing happened)"

"""Trajectories as text for a language model, with what the paper shows: no thoughts, no action lists, no ids."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ictbench.choices import FailureKind
    from ictbench.records import Step, Trajectory

FAILURES: dict[FailureKind, str] = {
    "bad_request": "its request was rejected",
    "context_overflow": "the episode became too long for it",
    "refused": "it refused to answer",
    "empty": "it answered nothing",
    "truncated": "its answer did not end",
    "timeout": "it took too long",
}


def format_trajectories(trajectories: Sequence[Trajectory]) -> str:
    """All of a batch, numbered from 1, with blank lines between."""
    return "\n\n".join(
        f"=== Episode {number} ===\n{format_trajectory(trajectory)}"
        for number, trajectory in enumerate(trajectories, start=1)
    )


def format_trajectory(trajectory: Trajectory) -> str:
    """What was observed and done, step by step, the last observation, and how it ended."""
    lines: list[str] = []
    for number, step in enumerate(trajectory.steps, start=1):
        lines += [f"Observation {number}:", step.observation, f"Action {number}: {_action(step)}"]
    lines += ["Last observation:", trajectory.last_observation]
    lines += [f"Success: {'Yes' if trajectory.solved else 'No'}", f"Total reward: {trajectory.total_reward:g}"]
    lines.append(f"How it ended: {describe_end(trajectory)}")
    return "\n".join(lines)


def _action(step: Step) -> str:
    if step.proposed is None:
        return "(none: the answer named no action, so nothing happened)"
    return step.proposed if step.executed is not None else f"{step.proposed} (invalid: nothing happened)"


def describe_end(trajectory: Trajectory) -> str:
    """How an episode ended, as a clause."""
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
            cause = FAILURES[trajectory.failure] if trajectory.failure else "it failed"
            return f"the agent could not go on: {cause}"

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

import pytest

from ictbench.choices import FailureKind
from ictbench.records import Step, Trajectory
from ictbench.reflectors.trajectory_text import format_trajectories

if TYPE_CHECKING:
    from ictbench.records import End


def step(observation: str, proposed: str | None, executed: str | None, **fields: Any) -> Step:
    return Step(
        observation=observation,
        actions=("look around", "step n"),
        digest="d1g357",
        thought="a private thought",
        proposed=proposed,
        executed=executed,
        **fields,
    )


def episode(*steps: Step, end: End = "step_limit", failure: FailureKind | None = None) -> Trajectory:
    return Trajectory(steps=steps, last_observation="The end.", last_digest="d1g357", end=end, failure=failure)


def test_an_episode_is_formatted_as_in_the_paper() -> None:
    text = format_trajectories(
        [
            episode(
                step("A room.\n@.?", "STEP n", "step n", reward=0.25),
                step("A wall.", "fly", None),
                step("Nothing is there.", None, None, reward=0.5),
            )
        ]
    )
    assert text == (
        "=== Episode 1 ===\n"
        "Observation 1:\nA room.\n@.?\nAction 1: STEP n\n"
        "Observation 2:\nA wall.\nAction 2: fly (invalid: nothing happened)\n"
        "Observation 3:\nNothing is there.\nAction 3: (none: the answer named no action, so nothing happened)\n"
        "Last observation:\nThe end.\n"
        "Success: No\nTotal reward: 0.75\nHow it ended: all 3 actions were used up"
    )


def test_thoughts_action_lists_and_ids_are_hidden() -> None:
    text = format_trajectories([episode(step("A room.", "step n", "step n"))] * 2)
    assert "=== Episode 2 ===" in text
    assert not any(hidden in text for hidden in ("private thought", "look around", "d1g357"))


@pytest.mark.parametrize(
    ("end", "success", "ending"),
    [
        ("solved", "Yes", "the task was solved"),
        ("died", "No", "the agent died"),
        ("env_ended", "No", "the environment ended the episode without success"),
        ("failed", "No", "the agent could not go on: it failed"),
    ],
)
def test_every_end_is_described(end: End, success: str, ending: str) -> None:
    text = format_trajectories([episode(end=end)])
    assert f"Success: {success}\n" in text
    assert text.endswith(f"How it ended: {ending}")


def test_every_failure_kind_has_its_own_description() -> None:
    kinds: tuple[FailureKind, ...] = get_args(FailureKind)
    texts = {format_trajectories([episode(end="failed", failure=kind)]) for kind in kinds}
    assert len(texts) == len(kinds)


def test_an_empty_batch_gives_an_empty_text() -> None:
    assert format_trajectories([]) == ""

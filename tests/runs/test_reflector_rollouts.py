from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from ictbench.errors import PluginError
from ictbench.records import Task, Trajectory, episode_key, prompt_digest
from ictbench.runs.reflector_rollouts import ReflectorRollouts

if TYPE_CHECKING:
    from collections.abc import Sequence

TASKS = tuple(Task(id=f"read-{seed}", family="read", env="minihack", params={"seed": seed}) for seed in (7, 8, 9))


def make_rollouts() -> ReflectorRollouts:
    async def play(tasks: Sequence[Task], prompt: str, *, again: bool) -> list[Trajectory]:
        ends = [Trajectory(steps=(), last_observation=task.id, last_digest=prompt, end="solved") for task in tasks]
        return list(ends)

    free = {episode_key(task.id, prompt_digest("old")) for task in TASKS}
    return ReflectorRollouts("mine", TASKS, len(TASKS), 20, free, play)


def play(rollouts: ReflectorRollouts, prompt: str, places: Sequence[int]) -> list[str]:
    return [trajectory.last_observation for trajectory in asyncio.run(rollouts(prompt, places))]


def test_tasks_are_chosen_by_their_positions_in_the_batch() -> None:
    assert play(make_rollouts(), "new", [2, 0]) == ["read-9", "read-7"]


def test_each_episode_counts_once_and_those_of_the_batch_do_not_count() -> None:
    rollouts = make_rollouts()
    assert rollouts.left == 3
    play(rollouts, "old", [0, 1, 2])
    assert rollouts.left == 3
    play(rollouts, "new", [1, 1])
    play(rollouts, "new", [1])
    assert rollouts.left == 2
    play(rollouts, "newer", [1, 2])
    assert rollouts.left == 0
    new, newer = prompt_digest("new"), prompt_digest("newer")
    keys = [episode_key("read-8", new), episode_key("read-8", newer), episode_key("read-9", newer)]
    assert rollouts.outcomes == dict.fromkeys(keys, True)


def test_more_episodes_than_the_batch_has_are_refused() -> None:
    rollouts = make_rollouts()
    play(rollouts, "new", [0, 1])
    with pytest.raises(PluginError, match="reflector mine requests 2 episodes of its own, but has 1 left in this turn"):
        play(rollouts, "newer", [0, 1])
    assert play(rollouts, "new", [0, 1]) == ["read-7", "read-8"]

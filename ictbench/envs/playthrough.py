"""Playthroughs of a task without an actor, and what differs between two of them."""

from __future__ import annotations

import itertools
import random
from typing import TYPE_CHECKING

from ictbench.plugin_errors import short_repr
from ictbench.records import Observation, Record, Task

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ictbench.envs.text_env import TextEnv

CONTEXT_CHARACTERS = 20
"""Characters shown before the first difference of two texts."""


class Playthrough(Record):
    """The actions of an episode, and its observations, of which there is one more."""

    task: Task
    actions: tuple[str, ...]
    observations: tuple[Observation, ...]


def play_at_random(env: TextEnv, task: Task, max_steps: int) -> Playthrough:
    """Play random actions from a fixed seed, so that two tasks with the same world give the same playthrough."""
    generator = random.Random(0)
    observations = [_check_type(env.reset(task))]
    actions: list[str] = []
    while observations[-1].end is None and observations[-1].actions and len(actions) < max_steps:
        actions.append(generator.choice(observations[-1].actions))
        observations.append(_check_type(env.step(actions[-1])))
    return Playthrough(task=task, actions=tuple(actions), observations=tuple(observations))


def play_actions(
    env: TextEnv, task: Task, actions: Sequence[str], before_step: Callable[[], object] = lambda: None
) -> Playthrough:
    """Play the given actions up to the end of the episode; call `before_step` before each of them."""
    observations = [env.reset(task)]
    for action in actions:
        before_step()
        if observations[-1].end is not None:
            break
        observations.append(env.step(action))
    return Playthrough(task=task, actions=tuple(actions[: len(observations) - 1]), observations=tuple(observations))


def first_difference(first: Playthrough, second: Playthrough) -> str | None:
    """Describe the first difference of two playthroughs of the same actions; None if there is none."""
    for number, (one, other) in enumerate(zip(first.observations, second.observations, strict=False)):
        for name in Observation.model_fields:
            before, after = getattr(one, name), getattr(other, name)
            if before != after:
                where = f"after actions {list(first.actions[:number])}" if number else "at the start"
                if name == "text":
                    before, after = _cut_common_start(before, after)
                values = f"{name} is {short_repr(after)}, but was {short_repr(before)} before"
                return f"task {first.task.id!r}, {where}: {values}"
    return None


def _cut_common_start(one: str, other: str) -> tuple[str, str]:
    common = itertools.takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False))
    start = max(0, sum(1 for _ in common) - CONTEXT_CHARACTERS)
    return one[start:], other[start:]


def _check_type(observation: object) -> Observation:
    if not isinstance(observation, Observation):
        raise TypeError(f"it returned {short_repr(observation)}, not an ictbench.Observation")
    return observation

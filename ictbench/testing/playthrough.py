"""Playthroughs of a task without an actor, and four ways to replay them that must give the same observations."""

from __future__ import annotations

import itertools
import random
from contextlib import closing
from typing import TYPE_CHECKING

from ictbench.records import Observation, Record, Task
from ictbench.testing.other_process import run_in_new_process
from ictbench.testing.violations import short_repr

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ictbench.envs import TextEnv

CONTEXT_CHARACTERS = 20
"""Characters shown before the first difference of two texts."""


class Playthrough(Record):
    """The actions of an episode, and its observations, of which there is one more."""

    task: Task
    actions: tuple[str, ...]
    observations: tuple[Observation, ...]


Playthroughs = list[Playthrough]


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


def replay_in_fresh_instances(env: type[TextEnv], playthroughs: Playthroughs) -> Playthroughs:
    """Replay each playthrough in a new instance."""
    replays = []
    for playthrough in playthroughs:
        with closing(env()) as fresh:
            replays.append(play_actions(fresh, playthrough.task, playthrough.actions))
    return replays


def replay_in_used_instance(env: type[TextEnv], playthroughs: Playthroughs) -> Playthroughs:
    """Replay all in one instance in reverse order, each after an unfinished episode of another task."""
    replays = []
    with closing(env()) as used:
        for playthrough, other in zip(reversed(playthroughs), [*playthroughs[-2::-1], playthroughs[-1]], strict=True):
            play_actions(used, other.task, other.actions[:1])
            replays.append(play_actions(used, playthrough.task, playthrough.actions))
    return replays[::-1]


def replay_next_to_another_instance(env: type[TextEnv], playthroughs: Playthroughs) -> Playthroughs:
    """Replay each with its steps alternating with those of another instance, which plays the next task."""
    replays = []
    for playthrough, other in zip(playthroughs, [*playthroughs[1:], playthroughs[0]], strict=True):
        with closing(env()) as instance, closing(env()) as other_instance:
            other_steps = _play_forever(other_instance, other)
            replays.append(
                play_actions(instance, playthrough.task, playthrough.actions, lambda: next(other_steps))  # noqa: B023
            )
    return replays


def replay_in_new_process(env: type[TextEnv], playthroughs: Playthroughs) -> Playthroughs:
    """Replay each playthrough in a new instance in a new process."""
    return run_in_new_process(replay_in_fresh_instances, env, playthroughs)


def _check_type(observation: object) -> Observation:
    if not isinstance(observation, Observation):
        raise TypeError(f"it returned {short_repr(observation)}, not an ictbench.Observation")
    return observation


def _play_forever(env: TextEnv, playthrough: Playthrough) -> Iterator[Observation]:
    for number in itertools.cycle(range(len(playthrough.actions) + 1)):
        yield env.step(playthrough.actions[number - 1]) if number else env.reset(playthrough.task)


def _cut_common_start(one: str, other: str) -> tuple[str, str]:
    common = itertools.takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False))
    start = max(0, sum(1 for _ in common) - CONTEXT_CHARACTERS)
    return one[start:], other[start:]

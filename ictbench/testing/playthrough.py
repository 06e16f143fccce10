"""Actions in a task and what they showed, and four ways in which the same actions must show the same again."""

from __future__ import annotations

import itertools
import random
from contextlib import closing
from typing import TYPE_CHECKING

from ictbench.records import Observation, Record, Task
from ictbench.testing.other_process import elsewhere
from ictbench.testing.violations import excerpt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ictbench.envs import TextEnv

CONTEXT_CHARACTERS = 20
"""Shown of what is equal before a difference."""


class Playthrough(Record):
    """An episode without an actor: one observation more than actions."""

    task: Task
    actions: tuple[str, ...]
    observations: tuple[Observation, ...]


def wander(env: TextEnv, task: Task, max_steps: int) -> Playthrough:
    """Play at random: two tasks that are the same world give the same playthrough."""
    dice = random.Random(0)
    observations = [_observed(env.reset(task))]
    actions: list[str] = []
    while observations[-1].end is None and observations[-1].actions and len(actions) < max_steps:
        actions.append(dice.choice(observations[-1].actions))
        observations.append(_observed(env.step(actions[-1])))
    return Playthrough(task=task, actions=tuple(actions), observations=tuple(observations))


def follow(
    env: TextEnv, task: Task, actions: Sequence[str], between: Callable[[], object] = lambda: None
) -> Playthrough:
    """Play given actions up to the end of the episode, with a call in between."""
    observations = [env.reset(task)]
    for action in actions:
        between()
        if observations[-1].end is not None:
            break
        observations.append(env.step(action))
    return Playthrough(task=task, actions=tuple(actions[: len(observations) - 1]), observations=tuple(observations))


def difference(first: Playthrough, again: Playthrough) -> str | None:
    """Where two playthroughs of the same actions part, in words; None where they do not."""
    for number, (one, other) in enumerate(zip(first.observations, again.observations, strict=False)):
        for name in Observation.model_fields:
            before, after = getattr(one, name), getattr(other, name)
            if before != after:
                where = f"after actions {list(first.actions[:number])}" if number else "at the start"
                if name == "text":
                    before, after = _from_where_they_part(before, after)
                return f"task {first.task.id!r}, {where}: {name} is {excerpt(after)}, and was {excerpt(before)}"
    return None


Again = list[Playthrough]


def in_fresh_instances(env: type[TextEnv], first: Again) -> Again:
    """Each in an instance of its own."""
    found = []
    for playthrough in first:
        with closing(env()) as fresh:
            found.append(follow(fresh, playthrough.task, playthrough.actions))
    return found


def in_a_used_instance(env: type[TextEnv], first: Again) -> Again:
    """All in one instance, the last one first, each after an episode of the one before it that is broken off."""
    found = []
    with closing(env()) as used:
        for playthrough, other in zip(reversed(first), [*first[-2::-1], first[-1]], strict=True):
            follow(used, other.task, other.actions[:1])
            found.append(follow(used, playthrough.task, playthrough.actions))
    return found[::-1]


def beside_another_instance(env: type[TextEnv], first: Again) -> Again:
    """Step by step by turns with another instance, which plays the next task."""
    found = []
    for playthrough, other in zip(first, [*first[1:], first[0]], strict=True):
        with closing(env()) as own, closing(env()) as beside:
            meanwhile = _over_and_over(beside, other)
            found.append(follow(own, playthrough.task, playthrough.actions, lambda: next(meanwhile)))  # noqa: B023
    return found


def in_another_process(env: type[TextEnv], first: Again) -> Again:
    """Each in a fresh instance in a process that has not seen the first ones."""
    return elsewhere(in_fresh_instances, env, first)


def _observed(seen: object) -> Observation:
    if not isinstance(seen, Observation):
        raise TypeError(f"it answered {excerpt(seen)}, which is no ictbench.Observation")
    return seen


def _over_and_over(env: TextEnv, playthrough: Playthrough) -> Iterator[Observation]:
    for number in itertools.cycle(range(len(playthrough.actions) + 1)):
        yield env.step(playthrough.actions[number - 1]) if number else env.reset(playthrough.task)


def _from_where_they_part(one: str, other: str) -> tuple[str, str]:
    equal = itertools.takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False))
    start = max(0, sum(1 for _ in equal) - CONTEXT_CHARACTERS)
    return one[start:], other[start:]

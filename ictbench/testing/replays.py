"""Four ways to replay playthroughs that must give the same observations."""

from __future__ import annotations

import itertools
from contextlib import closing
from typing import TYPE_CHECKING

from ictbench.envs.playthrough import Playthrough, play_actions
from ictbench.testing.other_process import run_in_new_process

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ictbench.envs import TextEnv
    from ictbench.records import Observation

    EnvMaker = Callable[[], TextEnv]

Playthroughs = list[Playthrough]


def replay_in_fresh_instances(env: EnvMaker, playthroughs: Playthroughs) -> Playthroughs:
    """Replay each playthrough in a new instance."""
    replays = []
    for playthrough in playthroughs:
        with closing(env()) as fresh:
            replays.append(play_actions(fresh, playthrough.task, playthrough.actions))
    return replays


def replay_in_used_instance(env: EnvMaker, playthroughs: Playthroughs) -> Playthroughs:
    """Replay all in one instance in reverse order, each after an unfinished episode of another task."""
    replays = []
    with closing(env()) as used:
        for playthrough, other in zip(reversed(playthroughs), [*playthroughs[-2::-1], playthroughs[-1]], strict=True):
            play_actions(used, other.task, other.actions[:1])
            replays.append(play_actions(used, playthrough.task, playthrough.actions))
    return replays[::-1]


def replay_next_to_another_instance(env: EnvMaker, playthroughs: Playthroughs) -> Playthroughs:
    """Replay each with its steps alternating with those of another instance, which plays the next task."""
    replays = []
    for playthrough, other in zip(playthroughs, [*playthroughs[1:], playthroughs[0]], strict=True):
        with closing(env()) as instance, closing(env()) as other_instance:
            other_steps = _play_forever(other_instance, other)
            replays.append(
                play_actions(instance, playthrough.task, playthrough.actions, lambda: next(other_steps))  # noqa: B023
            )
    return replays


def replay_in_new_process(env: EnvMaker, playthroughs: Playthroughs) -> Playthroughs:
    """Replay each playthrough in a new instance in a new process."""
    return run_in_new_process(replay_in_fresh_instances, env, playthroughs)


def _play_forever(env: TextEnv, playthrough: Playthrough) -> Iterator[Observation]:
    for number in itertools.cycle(range(len(playthrough.actions) + 1)):
        yield env.step(playthrough.actions[number - 1]) if number else env.reset(playthrough.task)

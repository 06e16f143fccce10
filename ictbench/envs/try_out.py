"""Trial of an environment before it is played: what its tasks show, and whether they show it again."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from ictbench.envs.playthrough import first_difference, play_actions, play_at_random

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ictbench.envs.text_env import TextEnv
    from ictbench.records import Task

FAMILIES = 8
"""Most families of which a task is played."""
STEPS = 12
"""Most random actions per task."""


def try_out(make: Callable[[], TextEnv], tasks: Iterable[Task], *, deterministic: bool) -> str | None:
    """Play a task of each family twice and return how the two playthroughs differ, None if they do not.

    Args:
        make: Returns a new instance.
        tasks: Tasks of any families.
        deterministic: False to play each task only once.
    """
    for task in [*{task.family: task for task in tasks}.values()][:FAMILIES]:
        with closing(make()) as env:
            played = play_at_random(env, task, STEPS)
        if not deterministic:
            continue
        with closing(make()) as env:
            again = play_actions(env, task, played.actions)
        if difference := first_difference(played, again):
            return (
                f"environment {task.env} is not deterministic: {difference}; seed all of it, or write `deterministic: "
                "false` in the suite, whose results can then not be verified"
            )
    return None

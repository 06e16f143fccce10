"""Share of test tasks that start like an experience task of the same loop, by family.

    python benchmarks/starts_shared.py [SUITE ...]

Every experience and test task of the standard profile is started, none is played. The columns compare the whole first
observation, the start key of the environment (for MiniHack the map), and the whole content of the task where the
environment knows it, hidden parts included. A dark room shows the squares around the player only, so different levels
look alike. The column with light compares the maps of MiniHack-Room-Random with the same seeds, which have the player
and the stairs on the same squares. Needs ictbench[minihack,alfworld,babyai].
"""

from __future__ import annotations

import sys
from contextlib import closing
from typing import TYPE_CHECKING

from tabulate import tabulate

from ictbench.plugins import resolve
from ictbench.protocol import loop_plan
from ictbench.suites import load_suite

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ictbench.envs import TextEnv
    from ictbench.protocol import LoopPlan
    from ictbench.records import Observation, Task

SUITES = ("minihack-v1",)
DARK, LIT = "MiniHack-Room-Dark-5x5-v0", "MiniHack-Room-Random-5x5-v0"


def main() -> None:
    """Print one table per suite."""
    for name in sys.argv[1:] or SUITES:
        suite = load_suite(name)
        sizes = suite.profiles["standard"]
        with closing(resolve("env", suite.env)()) as env:
            rows = []
            for family in suite.families:
                plans = [loop_plan(suite, family, index, sizes) for index in range(sizes.loops)]
                rows.append([family, *shares(env, plans)])
        print(f"{name}, {sizes.loops} loops of {sizes.turns * sizes.batch_size} experience tasks")
        print(
            tabulate(rows, ("family", "whole observation", "start key", "with light", "content"), floatfmt=".3f"),
            "\n",
        )


def shares(env: TextEnv, plans: Sequence[LoopPlan]) -> tuple[float, float, float | None, float | None]:
    """Return the share of equal starts by whole observation, start key, start key with light, and content."""

    def whole(task: Task) -> str:
        return env.reset(task).digest

    def start(task: Task) -> str:
        return key(env, env.reset(task))

    def lit(task: Task) -> str:
        return start(task.model_copy(update={"params": {**task.params, "env_id": LIT}}))

    dark = plans[0].test[0].params.get("env_id") == DARK
    known = content(env, plans[0].test[0]) is not None
    return (
        shared(plans, whole),
        shared(plans, start),
        shared(plans, lit) if dark else None,
        shared(plans, lambda task: str(content(env, task))) if known else None,
    )


def content(env: TextEnv, task: Task) -> str | None:
    """Return the content key of a task."""
    env.reset(task)
    return env.content_key()


def shared(plans: Sequence[LoopPlan], start: Callable[[Task], str]) -> float:
    """Return the share of test tasks whose start occurs in the experience of their loop."""
    found = [
        task_start in seen
        for plan in plans
        for seen in [{*map(start, experience(plan))}]
        for task_start in map(start, plan.test)
    ]
    return sum(found) / len(found)


def experience(plan: LoopPlan) -> Iterator[Task]:
    """Yield the experience tasks of a loop."""
    return (task for batch in plan.batches for task in batch)


def key(env: TextEnv, first: Observation) -> str:
    """Return what distinguishes a start."""
    own = env.start_key(first)
    return first.digest if own is None else own


if __name__ == "__main__":
    main()

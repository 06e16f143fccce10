"""List of the tasks of a suite, one row per task and pool."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pydantic import ConfigDict

from ictbench.errors import UnknownNameError
from ictbench.plugins import suggest
from ictbench.records import Pool, Record, Role
from ictbench.suites.pools import GamePools, ScoringPool

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ictbench.choices import ProfileName
    from ictbench.records import Task
    from ictbench.suites.suite import Suite


class TaskRow(Record):
    """A task in a pool."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    suite: str
    """Name of the suite."""
    family: str
    """The task's family."""
    role: Role
    """Whether a reflector may be trained on the family."""
    pool: Pool
    """experience: reflected on; selection: chooses the best prompt; test: reported."""
    shared: bool
    """Whether all loops share the pool. It is then listed once, with loop 0."""
    loop: int
    """Index of the loop that plays the task."""
    position: int
    """Position of the task in the order of that loop or pool, from 0."""
    id: str
    """The task's id."""
    env: str
    """Name of the environment."""
    params: str
    """What the environment needs to start the task, such as a seed, as JSON."""


def list_tasks(
    suite: Suite,
    *,
    families: Sequence[str] = ("all",),
    profile: ProfileName = "standard",
    loops: int | None = None,
    whole_blocks: bool = False,
) -> Iterator[TaskRow]:
    """Yield the tasks of a run: of a finite collection, all games; of generated tasks, those of each loop.

    Args:
        suite: The suite.
        families: Names of families, or `held-out`, `meta-train`, `all`.
        profile: Profile whose sizes are used for generated tasks.
        loops: Number of loops of generated tasks, None for that of the profile.
        whole_blocks: Whether to list the whole selection and test block of a loop instead of the profile's sizes.

    Raises:
        UnknownNameError: A family or the profile is unknown.
        PoolTooSmallError: The suite has fewer loops.
    """
    if profile not in suite.profiles:
        raise UnknownNameError(f"suite {suite.name} has no profile {profile!r}; {suggest(profile, suite.profiles)}")
    sizes = suite.profiles[profile]
    for family in suite.select_families(families):
        if isinstance(suite.pools, GamePools):
            games = suite.pools.experience_games(suite.env, family, suite.params_of(family))
            yield from _rows(suite, family, "experience", 0, games)
            yield from _rows(suite, family, "selection", 0, suite.scoring_tasks("selection", family, 0, None))
            yield from _rows(suite, family, "test", 0, suite.scoring_tasks("test", family, 0, None))
            continue
        for loop in range(sizes.loops if loops is None else loops):
            experience = suite.experience_order(family, loop, sizes.turns * sizes.batch_size)
            yield from _rows(suite, family, "experience", loop, experience)
            scored: tuple[tuple[ScoringPool, int | None], ...]
            scored = (("selection", sizes.selection_size), ("test", sizes.test_size))
            for pool, size in scored:
                tasks = suite.scoring_tasks(pool, family, loop, None if whole_blocks else size)
                yield from _rows(suite, family, pool, loop, tasks)


def _rows(suite: Suite, family: str, pool: Pool, loop: int, tasks: Iterable[Task]) -> Iterator[TaskRow]:
    for position, task in enumerate(tasks):
        yield TaskRow(
            suite=suite.name,
            family=family,
            role=suite.families[family].role,
            pool=pool,
            shared=suite.pools.shared,
            loop=loop,
            position=position,
            id=task.id,
            env=task.env,
            params=json.dumps(task.params, ensure_ascii=False, separators=(",", ":")),
        )

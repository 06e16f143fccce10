"""Where a suite's tasks come from: disjoint pools of experience, selection and test tasks."""

from __future__ import annotations

import heapq
import itertools
from typing import TYPE_CHECKING, Literal, Self

from pydantic import Field, model_validator

from ictbench.errors import PoolTooSmallError
from ictbench.records import Record, Task

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from pydantic import JsonValue


class SeedRange(Record):
    """The seeds `first` … `last`, both included."""

    first: int = Field(ge=0)
    last: int

    @model_validator(mode="after")
    def _not_empty(self) -> Self:
        if self.last < self.first:
            raise ValueError(f"last ({self.last}) is below first ({self.first})")
        return self

    @property
    def seeds(self) -> range:
        """All of them."""
        return range(self.first, self.last + 1)


class SeedBlocks(SeedRange):
    """A range cut into blocks of `block` seeds, one a loop."""

    block: int = Field(ge=1)

    def of_loop(self, loop: int, size: int, what: str) -> range:
        """The first `size` seeds of a loop's own block.

        Raises:
            PoolTooSmallError: a block, or the whole range, has too few.
        """
        if size > self.block:
            raise PoolTooSmallError(f"{what}: {size} tasks wanted, each loop has {self.block}; ask for fewer")
        start = self.first + loop * self.block
        if start + size - 1 > self.last:
            loops = len(self.seeds) // self.block
            raise PoolTooSmallError(f"{what}: loop {loop} wanted, there are blocks for {loops} loops; ask for fewer")
        return range(start, start + size)


class SeedPools(Record):
    """Pools of an environment whose tasks are generated from a seed."""

    kind: Literal["seeds"]
    experience: SeedRange
    selection: SeedBlocks
    test: SeedBlocks

    @model_validator(mode="after")
    def _disjoint(self) -> Self:
        ordered = sorted((self.experience, self.selection, self.test), key=lambda pool: pool.first)
        for lower, upper in itertools.pairwise(ordered):
            if upper.first <= lower.last:
                raise ValueError(f"pools overlap at seed {upper.first}")
        return self

    def experience_tasks(
        self, env: str, family: str, params: Mapping[str, JsonValue], count: int, rank: Callable[[str], bytes]
    ) -> list[Task]:
        """The first `count` tasks to be reflected on, in the order that `rank` gives to task ids.

        Raises:
            PoolTooSmallError: there are not so many.
        """
        seeds = self.experience.seeds
        if count > len(seeds):
            raise PoolTooSmallError(
                f"experience pool of {family!r}: turns x batch size = {count} tasks wanted, there are {len(seeds)}; "
                "ask for fewer turns or a smaller batch"
            )
        first = heapq.nsmallest(count, seeds, key=lambda seed: rank(task_id(family, seed)))
        return _tasks(env, family, params, first)

    def scoring_tasks(
        self,
        pool: Literal["selection", "test"],
        env: str,
        family: str,
        params: Mapping[str, JsonValue],
        loop: int,
        size: int,
    ) -> list[Task]:
        """The tasks of one loop's own selection or test block."""
        blocks = self.selection if pool == "selection" else self.test
        return _tasks(env, family, params, blocks.of_loop(loop, size, f"{pool} pool of {family!r}"))


def task_id(family: str, seed: int) -> str:
    """The stable id of a seed's task."""
    return f"{family}-{seed}"


def _tasks(env: str, family: str, params: Mapping[str, JsonValue], seeds: Iterable[int]) -> list[Task]:
    return [Task(id=task_id(family, seed), family=family, env=env, params={**params, "seed": seed}) for seed in seeds]

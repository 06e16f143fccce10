"""Where a suite's tasks come from: disjoint pools of experience, selection and test tasks."""

from __future__ import annotations

import heapq
import itertools
import re
from collections import Counter
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, JsonValue, SerializerFunctionWrapHandler, model_serializer, model_validator

from ictbench.errors import PoolTooSmallError
from ictbench.records import Record, Task

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

ScoringPool = Literal["selection", "test"]


class SeedRange(Record):
    """The seeds `first` … `last`, both included."""

    first: int = Field(ge=0)
    last: int
    params: dict[str, JsonValue] = Field(default_factory=dict)
    """What all tasks of the pool have in common for their environment."""

    @model_serializer(mode="wrap")
    def _without_empty_params(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """So that a suite without them keeps its digest."""
        return {name: value for name, value in dump(self).items() if name != "params" or value}

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

    shared: ClassVar[bool] = False
    """Whether loops are scored on the same tasks."""

    kind: Literal["seeds"]
    experience: SeedRange
    selection: SeedBlocks
    test: SeedBlocks

    @property
    def loops(self) -> int | None:
        """For how many loops there are blocks; None where all share the pools."""
        return min(len(pool.seeds) // pool.block for pool in (self.selection, self.test))

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
        _check_experience(family, count, len(seeds))
        first = heapq.nsmallest(count, seeds, key=lambda seed: rank(task_id(family, seed)))
        return _tasks(env, family, {**params, **self.experience.params}, first)

    def scoring_tasks(
        self, pool: ScoringPool, env: str, family: str, params: Mapping[str, JsonValue], loop: int, size: int | None
    ) -> list[Task]:
        """The first `size` tasks of one loop's own selection or test block; of all of it if `size` is None."""
        blocks = self.selection if pool == "selection" else self.test
        seeds = blocks.of_loop(loop, blocks.block if size is None else size, f"{pool} pool of {family!r}")
        return _tasks(env, family, {**params, **blocks.params}, seeds)

    def task(self, env: str, family: str, params: Mapping[str, JsonValue], wanted: str) -> Task | None:
        """The task of that id, whichever pool has it; None where there is none."""
        found = re.fullmatch(rf"{re.escape(family)}-(0|[1-9][0-9]{{0,17}})", wanted)
        for pool in (self.experience, self.selection, self.test):
            if found and (seed := int(found[1])) in pool.seeds:
                return _tasks(env, family, {**params, **pool.params}, [seed])[0]
        return None

    @property
    def own_loops(self) -> int:
        """How many loops, from 0 on, have a selection block and a test block of their own."""
        return min(len(pool.seeds) // pool.block for pool in (self.selection, self.test))

    def scoring_size(self, pool: ScoringPool, family: str, size: int | None) -> int:
        """How many tasks a loop is scored on."""
        blocks = self.selection if pool == "selection" else self.test
        return blocks.block if size is None else size

    def rows(self) -> list[tuple[str, str, str]]:
        """The pools in words: name, tasks, what a loop gets of them."""
        pools = (("experience", self.experience), ("selection", self.selection), ("test", self.test))
        return [
            (
                name,
                f"seeds {pool.first} … {pool.last}",
                f"its own {pool.block}" if isinstance(pool, SeedBlocks) else "any",
            )
            for name, pool in pools
        ]


class GameEntry(Record):
    """One game of a finite collection."""

    family: str
    split: str
    game: str
    """Its name, and the task's id."""
    problem_sha256: str
    """Of what the game is; its file may differ in how it is told."""


class GamePools(Record):
    """Pools of an environment whose games are finite in number: all loops share them."""

    shared: ClassVar[bool] = True

    kind: Literal["games"]
    experience: str
    """The split whose games are reflected on; so for the others."""
    selection: str
    test: str
    games: tuple[GameEntry, ...] = Field(min_length=1)
    """In the suite's file, the name of a CSV file beside it, with these columns."""

    @property
    def loops(self) -> int | None:
        """None: all loops share the pools, so there is no end to them."""
        return None

    @model_validator(mode="after")
    def _disjoint(self) -> Self:
        if len({self.experience, self.selection, self.test}) < 3:
            raise ValueError("experience, selection and test must be three different splits")
        if len({entry.game for entry in self.games}) < len(self.games):
            raise ValueError("a game is listed twice")
        return self

    def experience_tasks(
        self, env: str, family: str, params: Mapping[str, JsonValue], count: int, rank: Callable[[str], bytes]
    ) -> list[Task]:
        """The first `count` games to be reflected on, in the order that `rank` gives to their names.

        Raises:
            PoolTooSmallError: there are not so many.
        """
        entries = self._of(self.experience, family)
        _check_experience(family, count, len(entries))
        return [_game(env, params, entry) for entry in sorted(entries, key=lambda entry: rank(entry.game))[:count]]

    def task(self, env: str, family: str, params: Mapping[str, JsonValue], wanted: str) -> Task | None:
        """The game of that name, whichever pool has it; None where there is none."""
        found = (entry for entry in self.games if entry.family == family and entry.game == wanted)
        return next((_game(env, params, entry) for entry in found), None)

    @property
    def own_loops(self) -> None:
        """None: loops share their pools, so there may be any number of them."""
        return None

    def experience_games(self, env: str, family: str, params: Mapping[str, JsonValue]) -> list[Task]:
        """All games that are reflected on, as they are listed; each loop has an order of its own."""
        return [_game(env, params, entry) for entry in self._of(self.experience, family)]

    def scoring_tasks(
        self, pool: ScoringPool, env: str, family: str, params: Mapping[str, JsonValue], loop: int, size: int | None
    ) -> list[Task]:
        """The first `size` games of the selection or test pool, in an order of no meaning; all if `size` is None.

        Raises:
            PoolTooSmallError: there are not so many.
        """
        entries = sorted(self._of(getattr(self, pool), family), key=lambda entry: entry.problem_sha256)
        if size is not None and size > len(entries):
            raise PoolTooSmallError(
                f"{pool} pool of {family!r}: {size} games wanted, there are {len(entries)}; ask for fewer"
            )
        return [_game(env, params, entry) for entry in entries[:size]]

    def scoring_size(self, pool: ScoringPool, family: str, size: int | None) -> int:
        """How many games a loop is scored on."""
        return len(self._of(getattr(self, pool), family)) if size is None else size

    def rows(self) -> list[tuple[str, str, str]]:
        """The pools in words: name, tasks, what a loop gets of them."""
        pools = (
            ("experience", self.experience, "any"),
            ("selection", self.selection, "all"),
            ("test", self.test, "all"),
        )
        counts = Counter(entry.split for entry in self.games)
        return [(name, f"{counts[split]} games of {split}", share) for name, split, share in pools]

    def _of(self, split: str, family: str) -> list[GameEntry]:
        return [entry for entry in self.games if entry.split == split and entry.family == family]


Pools = Annotated[SeedPools | GamePools, Field(discriminator="kind")]


def task_id(family: str, seed: int) -> str:
    """The stable id of a seed's task."""
    return f"{family}-{seed}"


def _tasks(env: str, family: str, params: Mapping[str, JsonValue], seeds: Iterable[int]) -> list[Task]:
    return [Task(id=task_id(family, seed), family=family, env=env, params={**params, "seed": seed}) for seed in seeds]


def _game(env: str, params: Mapping[str, JsonValue], entry: GameEntry) -> Task:
    own = {"game": entry.game, "problem_sha256": entry.problem_sha256}
    return Task(id=entry.game, family=entry.family, env=env, params={**params, **own})


def _check_experience(family: str, wanted: int, there: int) -> None:
    if wanted > there:
        raise PoolTooSmallError(
            f"experience pool of {family!r}: turns x batch size = {wanted} tasks wanted, there are {there}; "
            "ask for fewer turns or a smaller batch"
        )

"""Task pools of a suite: disjoint sets of experience, selection and test tasks."""

from __future__ import annotations

import heapq
import itertools
import re
from collections import Counter
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, JsonValue, SerializerFunctionWrapHandler, model_serializer, model_validator

from ictbench.errors import PoolTooSmallError
from ictbench.hand_written import HandWritten
from ictbench.records import Record, Task

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

ScoringPool = Literal["selection", "test"]


class SeedRange(HandWritten):
    """The seeds `first` … `last`, both included."""

    first: int = Field(ge=0)
    last: int
    params: dict[str, JsonValue] = Field(default_factory=dict)
    """Params that all tasks of the pool share."""

    @model_serializer(mode="wrap")
    def _omit_empty_params(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out empty params, so that a suite without them keeps its digest."""
        return {name: value for name, value in dump(self).items() if name != "params" or value}

    @model_validator(mode="after")
    def _check_not_empty(self) -> Self:
        if self.last < self.first:
            raise ValueError(f"last ({self.last}) is below first ({self.first})")
        return self

    @property
    def seeds(self) -> range:
        """All seeds of the range."""
        return range(self.first, self.last + 1)

    @property
    def tasks_per_loop(self) -> int:
        """Number of tasks on which a loop can be scored."""
        return len(self.seeds)

    def of_loop(self, loop: int, size: int, pool: str) -> range:
        """Return the first `size` seeds, the same ones for every loop.

        Args:
            loop: Loop index.
            size: Number of seeds.
            pool: Name of the pool, for the error message.

        Raises:
            PoolTooSmallError: There are fewer seeds.
        """
        if size > len(self.seeds):
            raise PoolTooSmallError(f"{pool}: {size} tasks requested, there are {len(self.seeds)}; ask for fewer")
        return self.seeds[:size]


class SeedBlocks(SeedRange):
    """Range of seeds that is cut into blocks of `block` seeds, one block per loop."""

    block: int = Field(ge=1)

    @property
    def loops(self) -> int:
        """Number of complete blocks."""
        return len(self.seeds) // self.block

    @property
    def tasks_per_loop(self) -> int:
        """Number of tasks of a block."""
        return self.block

    def of_loop(self, loop: int, size: int, pool: str) -> range:
        """Return the first `size` seeds of a loop's block. See `SeedRange.of_loop`.

        Raises:
            PoolTooSmallError: The block has fewer seeds, or the range has no such block.
        """
        if size > self.block:
            raise PoolTooSmallError(f"{pool}: {size} tasks requested, each loop has {self.block}; ask for fewer")
        start = self.first + loop * self.block
        if start + size - 1 > self.last:
            raise PoolTooSmallError(
                f"{pool}: loop {loop} requested, there are blocks for {self.loops} loops; ask for fewer"
            )
        return range(start, start + size)


class SeedPools(Record):
    """Pools of an environment whose tasks are generated from a seed. Each loop is tested on its own block."""

    shared: ClassVar[bool] = False
    """Whether all loops are tested on the same tasks."""

    kind: Literal["seeds"]
    experience: SeedRange
    selection: SeedBlocks | SeedRange
    """Blocks, or a range without `block`, on whose first tasks the prompts of all loops are scored."""
    test: SeedBlocks

    @model_validator(mode="after")
    def _check_disjoint(self) -> Self:
        ordered = sorted((self.experience, self.selection, self.test), key=lambda pool: pool.first)
        for lower, upper in itertools.pairwise(ordered):
            if upper.first <= lower.last:
                raise ValueError(f"pools overlap at seed {upper.first}")
        return self

    @property
    def loops(self) -> int | None:
        """Number of loops that have a selection block and a test block; None if there is no limit."""
        return min(pool.loops for pool in (self.selection, self.test) if isinstance(pool, SeedBlocks))

    def experience_tasks(
        self, env: str, family: str, params: Mapping[str, JsonValue], count: int, rank: Callable[[str], bytes]
    ) -> list[Task]:
        """Return the first `count` experience tasks, ordered by the `rank` of their ids.

        Raises:
            PoolTooSmallError: The pool has fewer tasks.
        """
        seeds = self.experience.seeds
        _check_experience(family, count, len(seeds))
        first = heapq.nsmallest(count, seeds, key=lambda seed: rank(task_id(family, seed)))
        return _seed_tasks(env, family, {**params, **self.experience.params}, first)

    def scoring_tasks(
        self, pool: ScoringPool, env: str, family: str, params: Mapping[str, JsonValue], loop: int, size: int | None
    ) -> list[Task]:
        """Return the first `size` tasks of a loop's block, or of a pool without blocks; all of them if None.

        Raises:
            PoolTooSmallError: The block or pool has fewer tasks, or the loop has no block.
        """
        seeds, count = self._scoring_pool(pool), self.scoring_size(pool, family, size)
        chosen = seeds.of_loop(loop, count, f"{pool} pool of {family!r}")
        return _seed_tasks(env, family, {**params, **seeds.params}, chosen)

    def scoring_size(self, pool: ScoringPool, family: str, size: int | None) -> int:
        """Return the number of tasks on which a loop is scored."""
        seeds = self._scoring_pool(pool)
        return seeds.tasks_per_loop if size is None else size

    def task(self, env: str, family: str, params: Mapping[str, JsonValue], id_: str) -> Task | None:
        """Return the task with an id, from the pool that contains it; None if no pool does."""
        match = re.fullmatch(rf"{re.escape(family)}-(0|[1-9][0-9]{{0,17}})", id_)
        for pool in (self.experience, self.selection, self.test):
            if match and (seed := int(match[1])) in pool.seeds:
                return _seed_tasks(env, family, {**params, **pool.params}, [seed])[0]
        return None

    def rows(self) -> list[tuple[str, str, str]]:
        """Return a table of the pools: name, tasks, and the share that a loop gets."""
        pools = (("experience", self.experience, "any"), ("selection", self.selection, "all"), ("test", self.test, ""))
        return [
            (
                name,
                f"seeds {pool.first} … {pool.last}",
                f"its own {pool.block}" if isinstance(pool, SeedBlocks) else share,
            )
            for name, pool, share in pools
        ]

    def _scoring_pool(self, pool: ScoringPool) -> SeedBlocks | SeedRange:
        return self.selection if pool == "selection" else self.test


class GameEntry(Record):
    """One game of a finite collection."""

    family: str
    split: str
    game: str
    """Name of the game, and id of its task."""
    problem_sha256: str
    """Digest of the game's problem. Files of the same game can differ in their texts."""


class GamePools(Record):
    """Pools of an environment with a finite collection of games. All loops share them."""

    shared: ClassVar[bool] = True

    kind: Literal["games"]
    experience: str
    """The split whose games are the experience pool. The other two fields likewise."""
    selection: str
    test: str
    games: tuple[GameEntry, ...] = Field(min_length=1)
    """In a suite file: the name of a CSV file in the same folder, with these columns."""

    @model_validator(mode="after")
    def _check_disjoint(self) -> Self:
        if len({self.experience, self.selection, self.test}) < 3:
            raise ValueError("experience, selection and test must be three different splits")
        if len({entry.game for entry in self.games}) < len(self.games):
            raise ValueError("a game is listed twice")
        return self

    @property
    def loops(self) -> int | None:
        """None: loops share the pools, so their number has no limit."""
        return None

    def experience_tasks(
        self, env: str, family: str, params: Mapping[str, JsonValue], count: int, rank: Callable[[str], bytes]
    ) -> list[Task]:
        """Return the first `count` experience games, ordered by the `rank` of their names.

        Raises:
            PoolTooSmallError: The pool has fewer games.
        """
        entries = self._entries(self.experience, family)
        _check_experience(family, count, len(entries))
        return [_game_task(env, params, entry) for entry in sorted(entries, key=lambda entry: rank(entry.game))[:count]]

    def experience_games(self, env: str, family: str, params: Mapping[str, JsonValue]) -> list[Task]:
        """Return all experience games in the order of the list. Each loop meets them in its own order."""
        return [_game_task(env, params, entry) for entry in self._entries(self.experience, family)]

    def scoring_tasks(
        self, pool: ScoringPool, env: str, family: str, params: Mapping[str, JsonValue], loop: int, size: int | None
    ) -> list[Task]:
        """Return the first `size` games of the selection or test pool, all if None. Their order is arbitrary but fixed.

        Raises:
            PoolTooSmallError: The pool has fewer games.
        """
        entries = sorted(self._entries(getattr(self, pool), family), key=lambda entry: entry.problem_sha256)
        if size is not None and size > len(entries):
            raise PoolTooSmallError(
                f"{pool} pool of {family!r}: {size} games requested, there are {len(entries)}; ask for fewer"
            )
        return [_game_task(env, params, entry) for entry in entries[:size]]

    def scoring_size(self, pool: ScoringPool, family: str, size: int | None) -> int:
        """Return the number of games on which a loop is scored."""
        return len(self._entries(getattr(self, pool), family)) if size is None else size

    def task(self, env: str, family: str, params: Mapping[str, JsonValue], id_: str) -> Task | None:
        """Return the game with a name, from the pool that contains it; None if no pool does."""
        entries = (entry for entry in self.games if entry.family == family and entry.game == id_)
        return next((_game_task(env, params, entry) for entry in entries), None)

    def rows(self) -> list[tuple[str, str, str]]:
        """Return a table of the pools: name, tasks, and the share that a loop gets."""
        pools = (
            ("experience", self.experience, "any"),
            ("selection", self.selection, "all"),
            ("test", self.test, "all"),
        )
        counts = Counter(entry.split for entry in self.games)
        return [(name, f"{counts[split]} games of {split}", share) for name, split, share in pools]

    def _entries(self, split: str, family: str) -> list[GameEntry]:
        return [entry for entry in self.games if entry.split == split and entry.family == family]


Pools = Annotated[SeedPools | GamePools, Field(discriminator="kind")]


def task_id(family: str, seed: int) -> str:
    """Return the stable id of the task of a seed."""
    return f"{family}-{seed}"


def _seed_tasks(env: str, family: str, params: Mapping[str, JsonValue], seeds: Iterable[int]) -> list[Task]:
    return [Task(id=task_id(family, seed), family=family, env=env, params={**params, "seed": seed}) for seed in seeds]


def _game_task(env: str, params: Mapping[str, JsonValue], entry: GameEntry) -> Task:
    game_params = {"game": entry.game, "problem_sha256": entry.problem_sha256}
    return Task(id=entry.game, family=entry.family, env=env, params={**params, **game_params})


def _check_experience(family: str, requested: int, available: int) -> None:
    if requested > available:
        raise PoolTooSmallError(
            f"experience pool of {family!r}: turns x batch size = {requested} tasks requested, there are {available}; "
            "ask for fewer turns or a smaller batch"
        )

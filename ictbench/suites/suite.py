"""Suite: the validated content of a suite file, and the tasks that it defines."""

from __future__ import annotations

import hashlib
from collections import Counter
from functools import cached_property
from typing import TYPE_CHECKING, Literal, Self

from pydantic import Field, JsonValue, field_validator, model_validator

from ictbench.choices import MAX_REPEATS, DecodingName, PastActions, ProfileName
from ictbench.errors import PoolTooSmallError, UnknownNameError
from ictbench.hand_written import HandWritten
from ictbench.plugins import suggest
from ictbench.records import Record, Role, digest_of
from ictbench.suites.pools import GamePools, Pools, ScoringPool
from ictbench.suites.streams import Stream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ictbench.records import Task

RANKED_PROFILES: tuple[ProfileName, ...] = ("lite", "standard", "standard-k5")


MAX_ORDERS = 4096
_orders: dict[tuple[str, str, int, int], tuple[Task, ...]] = {}
"""Experience orders by suite digest, family, loop and count; computing one hashes every task of the pool."""


class Family(Record):
    """Tasks of one kind, or a stream of tasks of several kinds."""

    role: Role
    params: dict[str, JsonValue] = Field(default_factory=dict)
    """Params that all tasks of the family share."""
    stream: Stream | None = Field(default=None, exclude_if=lambda stream: stream is None)
    """The families that are mixed; None for tasks of one kind."""
    note: str = ""
    """What a reader of the family's numbers should know. Not part of the digest."""


class Sizes(HandWritten):
    """Sizes of a profile."""

    turns: int = Field(ge=1)
    batch_size: int = Field(ge=1)
    loops: int = Field(ge=1)
    selection_size: int | None = Field(default=None, ge=1)
    """Selection tasks per loop, in a stream of each of its families. None means the whole pool."""
    test_size: int | None = Field(default=None, ge=1)
    """Test tasks per loop, in a stream of each of its families. None means the whole pool."""
    repeats: int = Field(default=1, ge=1, le=MAX_REPEATS, exclude_if=lambda repeats: repeats == 1)
    """Episodes per selection and test task and prompt, each with its own sampling seed; experience is played once."""


class Limits(HandWritten):
    """Limits that make results comparable."""

    max_steps: int = Field(ge=1)
    """Most decisions in an episode."""
    prompt_bytes: int = Field(ge=1)
    """Largest prompt, in UTF-8 bytes."""


class Decoding(HandWritten):
    """Sampling settings of a model."""

    temperature: float = Field(ge=0)
    max_tokens: int = Field(ge=1)


class ActorDecoding(Decoding):
    """Sampling and format of the standard actor."""

    decoding: DecodingName = "free"
    history: int | None = None
    """Most past turns shown. None means all."""
    past_actions: PastActions = Field("changed", exclude_if=lambda value: value == "changed")
    """Lists of available actions shown of past turns. Left out at its default, so that digests stay the same."""


class Suite(Record):
    """A versioned benchmark."""

    schema_: Literal["ictbench.suite/1"] = Field(alias="schema")
    name: str
    title: str
    env: str
    params: dict[str, JsonValue] = Field(default_factory=dict, exclude_if=lambda params: not params)
    """Params that all tasks share."""
    deterministic: bool = Field(default=True, exclude_if=lambda deterministic: deterministic)
    """Whether a task and the actions determine an episode. Results of a suite without that cannot be verified."""
    families: dict[str, Family] = Field(min_length=1)
    streamed: dict[str, dict[str, JsonValue]] = Field(default_factory=dict, exclude_if=lambda params: not params)
    """Params of the families that are met in streams only, by name."""
    pools: Pools
    prompt: str
    presentation: str
    limits: Limits
    actor: ActorDecoding
    reflector: Decoding
    profiles: dict[ProfileName, Sizes]

    @field_validator("prompt")
    @classmethod
    def _strip_prompt(cls, prompt: str) -> str:
        return prompt.strip()

    @model_validator(mode="after")
    def _check_streams(self) -> Self:
        named = [(name, family.stream) for name, family in self.families.items() if family.stream]
        if both := sorted(self.families.keys() & self.streamed.keys()):
            raise ValueError(f"{both[0]!r} is a family and streamed; give one of them another name")
        for name, stream in named:
            if isinstance(self.pools, GamePools):
                raise ValueError(
                    f"{name!r} is a stream, which needs pools of kind seeds: each loop has its own test tasks"
                )
            if self.families[name].params:
                raise ValueError(f"{name!r} is a stream and has params; write those of its families under `streamed`")
            if unknown := [one for one in stream.families if one not in self.streamed]:
                raise ValueError(f"stream {name!r} has the family {unknown[0]!r}, which is not under `streamed`")
        if unused := self.streamed.keys() - {one for _, stream in named for one in stream.families}:
            raise ValueError(f"no stream has {min(unused)!r}, which is under `streamed`")
        return self

    @model_validator(mode="after")
    def _check_games(self) -> Self:
        if isinstance(self.pools, GamePools):
            listed = {(entry.family, entry.split) for entry in self.pools.games}
            for family in self.families:
                for split in (self.pools.experience, self.pools.selection, self.pools.test):
                    if (family, split) not in listed:
                        raise ValueError(f"the list of games has none of family {family!r} in split {split!r}")
        return self

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the suite's content except notes. Suites with equal digests are the same benchmark."""
        return digest_of(self.model_dump(mode="json", by_alias=True, exclude={"families": {"__all__": {"note"}}}))

    @cached_property
    def streams(self) -> tuple[str, ...]:
        """Names of the families that are streams."""
        return tuple(name for name, family in self.families.items() if family.stream)

    @property
    def loops(self) -> int | None:
        """Number of loops for which every family has selection and test tasks; None if there is no limit."""
        loops = self.pools.loops
        return loops if loops is None else loops // max(1, len(self.streams))

    def select_families(self, names: Sequence[str]) -> tuple[str, ...]:
        """Return families in the suite's order.

        Args:
            names: Names of families, or `held-out`, `meta-train`, `all`.

        Raises:
            UnknownNameError: A name is not one of these.
        """
        groups = {"all": set(self.families)}
        for role in ("held-out", "meta-train"):
            groups[role] = {name for name, family in self.families.items() if family.role == role}
        selected: set[str] = set()
        for name in names:
            if name not in groups and name not in self.families:
                hint = suggest(name, [*self.families, *groups])
                raise UnknownNameError(f"suite {self.name} has no family {name!r}; {hint}")
            selected |= groups.get(name, {name})
        return tuple(name for name in self.families if name in selected)

    def experience_order(self, family: str, loop: int, count: int) -> list[Task]:
        """Return the first `count` experience tasks of a loop, in an order that is the same for every arm.

        Raises:
            PoolTooSmallError: The pool has fewer tasks. No task occurs twice in a loop.
        """
        key = (self.digest, family, loop, count)
        if key not in _orders:
            prefix = f"{self.digest}/{family}/{loop}/"

            def rank(id_: str) -> bytes:
                return hashlib.sha256(f"{prefix}{id_}".encode()).digest()

            if len(_orders) >= MAX_ORDERS:
                _orders.clear()
            _orders[key] = tuple(self._experience(family, loop, count, rank))
        return list(_orders[key])

    def first_tasks(self, family: str, count: int) -> list[Task]:
        """Return the first experience tasks of loop 0; fewer than a stream has families are allowed, too.

        Raises:
            PoolTooSmallError: The pool has fewer tasks.
        """
        return self.experience_order(family, 0, max(count, len(self.parts(family))))[:count]

    def scoring_tasks(self, pool: ScoringPool, family: str, loop: int, size: int | None) -> list[Task]:
        """Return the tasks on which a loop is scored.

        Args:
            pool: `selection` or `test`.
            family: Name of the family. Of a stream, the tasks of one of its families follow those of another.
            loop: Loop index. Ignored where all loops share the pool.
            size: Number of tasks, of a stream of tasks of each family; None for all; 0 needs no block of the loop.

        Raises:
            PoolTooSmallError: The pool has fewer tasks.
        """
        if size == 0:
            return []
        stream = self.families[family].stream
        if stream is None:
            return self.pools.scoring_tasks(pool, self.env, family, self.params_of(family), loop, size)
        # Each stream has blocks of its own, so that two streams of a family are independent.
        if self.loops is not None and loop >= self.loops:
            raise PoolTooSmallError(
                f"stream {family!r}: loop {loop} requested, there are blocks for {self.loops} loops; ask for fewer"
            )
        block = loop * len(self.streams) + self.streams.index(family)
        return [
            task
            for name in stream.families
            for task in self.pools.scoring_tasks(pool, self.env, name, self.params_of(name), block, size)
        ]

    def scoring_size(self, pool: ScoringPool, family: str, size: int | None) -> int:
        """Return the number of tasks on which a loop of the family is scored; `size` is as in `scoring_tasks`."""
        return sum(self.pools.scoring_size(pool, name, size) for name in self.parts(family))

    def parts(self, family: str) -> tuple[str, ...]:
        """Return the families that a stream mixes; of any other family, the family itself."""
        stream = self.families[family].stream
        return stream.families if stream else (family,)

    def task(self, family: str, id_: str) -> Task:
        """Return the task of a family with an id, from the pool that contains it.

        Raises:
            UnknownNameError: No pool contains it.
        """
        found = (self.pools.task(self.env, name, self.params_of(name), id_) for name in self.parts(family))
        task = next(filter(None, found), None)
        if task is None:
            raise UnknownNameError(f"family {family!r} of suite {self.name} has no task {id_!r}")
        return task

    def params_of(self, family: str) -> dict[str, JsonValue]:
        """Return the params of the tasks of a family, other than those of its pool."""
        own = self.streamed[family] if family in self.streamed else self.families[family].params
        return {**self.params, **own}

    def _experience(self, family: str, loop: int, count: int, rank: Callable[[str], bytes]) -> Iterator[Task]:
        """Yield the experience of a loop; in a stream, the tasks of each family come in the order of their ranks."""
        stream = self.families[family].stream
        schedule = stream.schedule(loop, count) if stream else (family,) * count
        orders = {
            name: iter(self.pools.experience_tasks(self.env, name, self.params_of(name), number, rank))
            for name, number in Counter(schedule).items()
        }
        for name in schedule:
            yield next(orders[name])

"""Suite: the validated content of a suite file, and the tasks that it defines."""

from __future__ import annotations

import hashlib
from functools import cached_property
from typing import TYPE_CHECKING, Literal, Self

from pydantic import Field, JsonValue, field_validator, model_validator

from ictbench.choices import MAX_REPEATS, DecodingName, PastActions, ProfileName
from ictbench.errors import UnknownNameError
from ictbench.plugins import suggest
from ictbench.records import Record, Role, digest_of
from ictbench.suites.pools import GamePools, Pools, ScoringPool

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ictbench.records import Task

RANKED_PROFILES: tuple[ProfileName, ...] = ("lite", "standard", "standard-k5")


MAX_ORDERS = 4096
_orders: dict[tuple[str, str, int, int], tuple[Task, ...]] = {}
"""Experience orders by suite digest, family, loop and count; computing one hashes every task of the pool."""


class Family(Record):
    """Tasks of one kind."""

    role: Role
    params: dict[str, JsonValue] = Field(default_factory=dict)
    """Params that all tasks of the family share."""
    note: str = ""
    """What a reader of the family's numbers should know. Not part of the digest."""


class Sizes(Record):
    """Sizes of a profile."""

    turns: int = Field(ge=1)
    batch_size: int = Field(ge=1)
    loops: int = Field(ge=1)
    selection_size: int | None = Field(default=None, ge=1)
    """Selection tasks per loop. None means the whole pool."""
    test_size: int | None = Field(default=None, ge=1)
    """Test tasks per loop. None means the whole pool."""
    repeats: int = Field(default=1, ge=1, le=MAX_REPEATS, exclude_if=lambda repeats: repeats == 1)
    """Episodes per selection and test task and prompt, each with its own sampling seed; experience is played once."""


class Limits(Record):
    """Limits that make results comparable."""

    max_steps: int = Field(ge=1)
    """Most decisions in an episode."""
    prompt_bytes: int = Field(ge=1)
    """Largest prompt, in UTF-8 bytes."""


class Decoding(Record):
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
    families: dict[str, Family] = Field(min_length=1)
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
            params = self.families[family].params
            _orders[key] = tuple(self.pools.experience_tasks(self.env, family, params, count, rank))
        return list(_orders[key])

    def scoring_tasks(self, pool: ScoringPool, family: str, loop: int, size: int | None) -> list[Task]:
        """Return the tasks on which a loop is scored.

        Args:
            pool: `selection` or `test`.
            family: Name of the family.
            loop: Loop index. Ignored where all loops share the pool.
            size: Number of tasks, None for all; 0 needs no block of the loop.

        Raises:
            PoolTooSmallError: The pool has fewer tasks.
        """
        if size == 0:
            return []
        return self.pools.scoring_tasks(pool, self.env, family, self.families[family].params, loop, size)

    def scoring_size(self, pool: ScoringPool, family: str, size: int | None) -> int:
        """Return the number of tasks on which a loop of the family is scored; `size` is as in `scoring_tasks`."""
        return self.pools.scoring_size(pool, family, size)

    def task(self, family: str, id_: str) -> Task:
        """Return the task of a family with an id, from the pool that contains it.

        Raises:
            UnknownNameError: No pool contains it.
        """
        task = self.pools.task(self.env, family, self.families[family].params, id_)
        if task is None:
            raise UnknownNameError(f"family {family!r} of suite {self.name} has no task {id_!r}")
        return task

"""What a suite file says, validated."""

from __future__ import annotations

import hashlib
from functools import cached_property
from typing import TYPE_CHECKING, Literal, Self

from pydantic import Field, JsonValue, field_validator, model_validator

from ictbench.choices import DecodingName, ProfileName
from ictbench.errors import UnknownNameError
from ictbench.plugins import suggest
from ictbench.records import Record, Role, digest_of
from ictbench.suites.pools import GamePools, Pools, ScoringPool

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ictbench.records import Task

RANKED_PROFILES: tuple[ProfileName, ...] = ("lite", "standard")


class Family(Record):
    """Tasks of one kind."""

    role: Role
    params: dict[str, JsonValue] = Field(default_factory=dict)
    """What all tasks of the family have in common for their environment."""
    note: str = ""
    """What a reader of the family's numbers should know; no part of what the benchmark is."""


class Sizes(Record):
    """How much a profile plays."""

    turns: int = Field(ge=1)
    batch_size: int = Field(ge=1)
    loops: int = Field(ge=1)
    selection_size: int | None = Field(default=None, ge=1)
    """Tasks of a loop; None for the whole pool."""
    test_size: int | None = Field(default=None, ge=1)
    """The same."""


class Limits(Record):
    """Bounds that make results comparable."""

    max_steps: int = Field(ge=1)
    """Decisions an episode."""
    prompt_bytes: int = Field(ge=1)
    """Cap of a prompt, in UTF-8 bytes."""


class Decoding(Record):
    """How a model is sampled."""

    temperature: float = Field(ge=0)
    max_tokens: int = Field(ge=1)


class ActorDecoding(Decoding):
    """How the standard actor plays."""

    decoding: DecodingName = "free"
    history: int | None = None
    """Past turns shown; None for all."""


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
    def _one_final_newline_less(cls, prompt: str) -> str:
        return prompt.strip()

    @model_validator(mode="after")
    def _every_family_has_games(self) -> Self:
        if isinstance(self.pools, GamePools):
            listed = {(entry.family, entry.split) for entry in self.pools.games}
            for family in self.families:
                for split in (self.pools.experience, self.pools.selection, self.pools.test):
                    if (family, split) not in listed:
                        raise ValueError(f"no game of {family!r} is listed for {split!r}")
        return self

    @cached_property
    def digest(self) -> str:
        """SHA-256 of everything the suite says: equal digests, equal benchmark."""
        return digest_of(self.model_dump(mode="json", by_alias=True, exclude={"families": {"__all__": {"note"}}}))

    def select_families(self, wanted: Sequence[str]) -> tuple[str, ...]:
        """Families by name or by `held-out`, `meta-train`, `all`, in the suite's order.

        Raises:
            UnknownNameError: a name that is none of these.
        """
        groups = {"all": set(self.families)}
        for role in ("held-out", "meta-train"):
            groups[role] = {name for name, family in self.families.items() if family.role == role}
        chosen: set[str] = set()
        for name in wanted:
            if name not in groups and name not in self.families:
                hint = suggest(name, [*self.families, *groups])
                raise UnknownNameError(f"suite {self.name} has no family {name!r}; {hint}")
            chosen |= groups.get(name, {name})
        return tuple(name for name in self.families if name in chosen)

    def experience_order(self, family: str, loop: int, count: int) -> list[Task]:
        """The first `count` experience tasks of a loop, in an order that is the same for every arm.

        Raises:
            PoolTooSmallError: the pool has fewer; no task is met twice in a loop.
        """
        where = f"{self.digest}/{family}/{loop}/"

        def rank(task: str) -> bytes:
            return hashlib.sha256(f"{where}{task}".encode()).digest()

        return self.pools.experience_tasks(self.env, family, self.families[family].params, count, rank)

    def scoring_tasks(self, pool: ScoringPool, family: str, loop: int, size: int | None) -> list[Task]:
        """The tasks that a loop is scored on: of its own block, or games that all loops share; None for all.

        Raises:
            PoolTooSmallError: there are not so many.
        """
        return self.pools.scoring_tasks(pool, self.env, family, self.families[family].params, loop, size)

    def task(self, family: str, wanted: str) -> Task:
        """The task of a family by its id, whichever pool has it.

        Raises:
            UnknownNameError: there is none.
        """
        found = self.pools.task(self.env, family, self.families[family].params, wanted)
        if found is None:
            raise UnknownNameError(f"family {family!r} of suite {self.name} has no task {wanted!r}")
        return found

    def scoring_size(self, pool: ScoringPool, family: str, size: int | None) -> int:
        """How many tasks a loop of the family is scored on."""
        return self.pools.scoring_size(pool, family, size)

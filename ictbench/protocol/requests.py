"""Requests of a loop, which its caller carries out."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ictbench.records import NO_MEMORY, Memory

if TYPE_CHECKING:
    from pydantic import JsonValue

    from ictbench.records import Task, Trajectory


@dataclass(frozen=True, slots=True)
class Play:
    """Request to play experience tasks under a prompt."""

    turn: int
    prompt: str
    tasks: tuple[Task, ...]
    memory: Memory = NO_MEMORY
    """Memory that goes with the prompt."""


@dataclass(frozen=True, slots=True)
class Reflect:
    """Request to reflect on the trajectories of a batch."""

    turn: int
    prompt: str
    trajectories: tuple[Trajectory, ...]
    """Those of the turn's batch; empty for an optimiser, which plays its episodes itself."""
    state: JsonValue
    memory: Memory = NO_MEMORY
    played: tuple[str, ...] = ()
    """Keys of the episodes that an optimiser has played in earlier turns."""


@dataclass(frozen=True, slots=True)
class Score:
    """Request for the outcomes of selection or test tasks under a prompt."""

    pool: Literal["selection", "test"]
    prompt_index: int
    prompt: str
    tasks: tuple[Task, ...]
    repeats: int = 1
    """Episodes per task."""
    memory: Memory = NO_MEMORY
    awaited: bool = True
    """Whether the loop waits for it now; False for a test that is possible early and needed only at the end."""

    @property
    def episodes(self) -> tuple[tuple[Task, int], ...]:
        """Task and replicate of each episode, in the order of the outcomes."""
        return tuple(itertools.product(self.tasks, range(self.repeats)))


AuditBatch = Literal["replayed", "fresh"]
"""The batch that a turn reflected on, or the batch after it."""


@dataclass(frozen=True, slots=True)
class Audit:
    """Request for the outcomes of a batch under the prompt it was not played under.

    Turn i turned prompt[i-1] into prompt[i]. Its own batch is replayed under prompt[i]. The next batch is fresh and
    is played under prompt[i] anyway; the audit plays it under prompt[i-1], too.
    """

    turn: int
    batch: AuditBatch
    prompt: str
    tasks: tuple[Task, ...]
    memory: Memory = NO_MEMORY


OnlinePrompt = Literal["base", "best"]
"""prompt[0] or the best prompt."""


@dataclass(frozen=True, slots=True)
class Online:
    """Request for the outcomes of a turn's batch under a prompt that stays the same."""

    turn: int
    under: OnlinePrompt
    prompt: str
    tasks: tuple[Task, ...]
    memory: Memory = NO_MEMORY


Request = Play | Reflect | Score | Audit | Online

"""How far a run is: plain counts that whoever shows them reads when it likes."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ictbench.models import UsageMeter
    from ictbench.rollout import Executor
    from ictbench.runs.plan import RunPlan


@dataclass
class FamilyProgress:
    """One family's counts."""

    turns: int
    """Turns planned, over all loops."""
    episodes: int
    """Episodes planned, shared ones counted wherever they are used."""
    turns_done: int = 0
    episodes_done: int = 0
    solved: int = 0
    loops_done: int = 0


@dataclass
class Progress:
    """Counts of a run in progress."""

    families: dict[str, FamilyProgress]
    loops: int
    """Loops a family."""
    meter: UsageMeter
    """What the models have used and are doing."""
    notes: tuple[str, ...] = ()
    """What the user should know of how the options were understood."""
    started: float = field(default_factory=time.monotonic)
    played: int = 0
    """Episodes played in this sitting, neither shared nor from the journal."""
    found: int = 0
    """Episodes that the journal already held when the run was continued."""
    recalled: int = 0
    """Episodes answered from the journal, whether an earlier sitting or a moment ago recorded them."""
    owed: int = 0
    paused: bool = False
    """Whether the run waits because nothing answers."""
    executor: Executor | None = None
    """Who plays: how many workers there are, and were."""

    @classmethod
    def of(cls, plan: RunPlan, meter: UsageMeter, found: int, executor: Executor | None = None) -> Progress:
        """Nothing done yet."""
        turns = plan.sizes.loops * plan.sizes.turns
        families = {name: FamilyProgress(turns, plan.episode_bounds(name)["episodes"]) for name in plan.families}
        return cls(families, plan.sizes.loops, meter, plan.notes, found=found, executor=executor)

    @property
    def episodes(self) -> int:
        """Episodes planned."""
        return sum(family.episodes for family in self.families.values())

    @property
    def episodes_done(self) -> int:
        """Episodes answered, whether played, shared or found in the journal."""
        return sum(family.episodes_done for family in self.families.values())

    @property
    def elapsed(self) -> float:
        """Seconds since the start of this sitting."""
        return time.monotonic() - self.started

    @property
    def seconds_left(self) -> float | None:
        """At this sitting's own pace: what was found in the journal took no time. None before there is a pace."""
        done = self.episodes_done - self.recalled
        return self.elapsed * (self.episodes - self.episodes_done) / done if done else None

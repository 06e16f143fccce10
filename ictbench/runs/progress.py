"""Live counts of a run, which a display may read at any time."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ictbench.runs.cost_projection import CostProjection
from ictbench.runs.family_progress import FamilyProgress

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Mapping

    from ictbench.models import UsageMeter
    from ictbench.rollout import Executor
    from ictbench.runs.failure_watch import PlayerRole
    from ictbench.runs.plan import RunPlan


@dataclass
class Progress:
    """Counts of a run."""

    families: dict[str, FamilyProgress]
    loops: int
    """Loops per family."""
    meter: UsageMeter
    """Usage and current requests of the models."""
    notes: tuple[str, ...] = ()
    """Remarks for the user on the interpretation of the options and on the models."""
    on_note: Callable[[str], None] | None = None
    """Receives remarks that are made while the run goes on."""
    started: float = field(default_factory=time.monotonic)
    played: int = 0
    """Episodes played in this session, neither shared nor from the journal."""
    resumed: int = 0
    """Episodes of earlier sessions that this session does not repeat."""
    from_journal: int = 0
    """Requests for episodes answered from the journal, whether recorded in an earlier session or just now."""
    owed: int = 0
    failures: Mapping[PlayerRole, Counter[str]] = field(default_factory=dict)
    """Numbers of failed episodes (`actor`) and unusable reflections (`reflector`) by kind, with those resumed."""
    paused: bool = False
    """True while the run waits because no request succeeds."""
    executor: Executor | None = None
    """Executor of the episodes, which knows its numbers of workers."""

    def __post_init__(self) -> None:
        self.costs = CostProjection(self.families, self.meter)
        self.meter.project_cost = self.costs.total

    @classmethod
    def of(cls, plan: RunPlan, meter: UsageMeter, resumed: int, executor: Executor | None = None) -> Progress:
        """Return the counts of a plan before anything is done."""
        turns = plan.sizes.loops * plan.sizes.turns
        families = {name: FamilyProgress(turns, plan.episode_bounds(name)["episodes"]) for name in plan.families}
        return cls(families, plan.sizes.loops, meter, plan.notes, resumed=resumed, executor=executor)

    def note(self, remark: str) -> None:
        """Add a remark for the user."""
        self.notes += (remark,)
        if self.on_note:
            self.on_note(remark)

    @property
    def episodes(self) -> int:
        """Planned episodes."""
        return sum(family.episodes for family in self.families.values())

    @property
    def episodes_done(self) -> int:
        """Finished episodes, whether played, shared or from the journal."""
        return sum(family.episodes_done for family in self.families.values())

    @property
    def elapsed(self) -> float:
        """Seconds since the start of this session."""
        return time.monotonic() - self.started

    @property
    def seconds_left(self) -> float | None:
        """Estimate at the pace of this session, in which episodes from the journal took no time; None at the start."""
        done = self.episodes_done - self.from_journal
        return self.elapsed * (self.episodes - self.episodes_done) / done if done else None

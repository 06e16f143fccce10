"""Projection of the cost of a whole run from what its episodes and reflections have cost so far."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ictbench.records import Usage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ictbench.models import UsageMeter
    from ictbench.runs.family_progress import FamilyProgress

MIN_EPISODES = 20
"""Episodes that a projection needs, and `MIN_SHARE` of all."""
MIN_SHARE = 0.02


@dataclass
class FamilyCosts:
    """Usage of a family in this session, and its counts when the session played its first episode."""

    episodes: Usage = field(default_factory=Usage)
    reflections: Usage = field(default_factory=Usage)
    episodes_before: int = 0
    turns_before: int = 0


class CostProjection:
    """Projects the cost of a run: what is spent, and the mean costs of this session for all that is left.

    A mean is over all finished episodes, also those that are shared and cost nothing: some of what is left is too.
    """

    def __init__(self, progress: Mapping[str, FamilyProgress], meter: UsageMeter) -> None:
        self._progress, self._meter = progress, meter
        self._played = 0
        self._mixed = Usage()
        """Usage of the episodes of streams, whose tasks belong to other families than those of the run."""
        self.families: dict[str, FamilyCosts] = {}

    def add_episode(self, family: str, usage: Usage) -> None:
        """Add an episode that was played in this session; `family` is that of its task."""
        counts = self._of(family)
        if family in self._progress:
            counts.episodes += usage
        else:
            self._mixed += usage
        self._played += 1

    def add_reflection(self, family: str, usage: Usage) -> None:
        """Add a reflection of this session."""
        self._of(family).reflections += usage

    def total(self) -> float | None:
        """Return the projected cost in US dollars, an upper estimate; None without a price or with few episodes."""
        _, spent = self._meter.spent.cost_bounds
        planned = sum(family.episodes for family in self._progress.values())
        if not spent or self._played < max(MIN_EPISODES, MIN_SHARE * planned):
            return None
        return spent + self._left("episodes") + self._left("turns")

    def _of(self, family: str) -> FamilyCosts:
        if not self.families:
            # What the journal held has been counted by now; it took nothing of this session.
            self.families = {
                name: FamilyCosts(episodes_before=counts.episodes_done, turns_before=counts.turns_done)
                for name, counts in self._progress.items()
            }
        return self.families.setdefault(family, FamilyCosts())

    def _left(self, what: str) -> float:
        """Return the cost of the episodes or turns that are left, at the mean of the family, or else of all.

        Episodes of streams are not told apart by stream: if there are some, the mean is always that of all.
        """
        done = {name: self._done(name, counts, what) for name, counts in self._progress.items()}
        cost = {name: _cost(self.families[name], what) for name in done}
        mixed = _bound(self._mixed) if what == "episodes" else 0.0
        mean = (sum(cost.values()) + mixed) / max(1, sum(done.values()))
        return sum(
            _left_of(counts, what) * (cost[name] / done[name] if done[name] and not mixed else mean)
            for name, counts in self._progress.items()
        )

    def _done(self, name: str, counts: FamilyProgress, what: str) -> int:
        costs = self.families[name]
        if what == "episodes":
            return counts.episodes_done - costs.episodes_before
        return counts.turns_done - costs.turns_before


def _cost(costs: FamilyCosts, what: str) -> float:
    return _bound(costs.episodes if what == "episodes" else costs.reflections)


def _bound(usage: Usage) -> float:
    least, most = usage.cost_bounds
    return least if most is None else most


def _left_of(counts: FamilyProgress, what: str) -> int:
    return counts.episodes - counts.episodes_done if what == "episodes" else counts.turns - counts.turns_done

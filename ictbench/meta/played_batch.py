"""Episodes played under one prompt."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import TYPE_CHECKING

from ictbench.records import Usage
from ictbench.reflectors.trajectory_text import format_trajectories

if TYPE_CHECKING:
    from ictbench.records import Episode, Trajectory


@dataclass(frozen=True, slots=True)
class Batch:
    """Episodes played under one prompt, in the order of their tasks."""

    episodes: tuple[Episode, ...]

    @property
    def task_ids(self) -> tuple[str, ...]:
        """Ids of the tasks, for `MetaEnv.replay`."""
        return tuple(episode.task.id for episode in self.episodes)

    @property
    def trajectories(self) -> tuple[Trajectory, ...]:
        """What a reflector may read; they contain neither task ids nor seeds."""
        return tuple(episode.trajectory for episode in self.episodes)

    @property
    def solved(self) -> tuple[bool, ...]:
        """Whether each task was solved."""
        return tuple(trajectory.solved for trajectory in self.trajectories)

    @property
    def success_rate(self) -> float:
        """Share of tasks solved; 0 if there are no tasks."""
        return sum(self.solved) / max(len(self.solved), 1)

    @property
    def usage(self) -> Usage:
        """Calls, tokens and cost of the actor's model."""
        return reduce(add, (episode.usage for episode in self.episodes), Usage())

    @property
    def text(self) -> str:
        """The trajectories as the standard reflector reads them."""
        return format_trajectories(self.trajectories)

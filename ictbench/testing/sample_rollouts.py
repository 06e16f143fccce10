"""Episodes that a reflector under check plays itself: the sample episodes, whatever its prompt."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import cycle, islice
from typing import TYPE_CHECKING

from ictbench.records import Task
from ictbench.runs.reflector_rollouts import ReflectorRollouts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ictbench.records import Trajectory
    from ictbench.reflectors import Experience


@dataclass
class SampleLoop:
    """What a reflector may play in the turns of one loop; tasks are numbered by their trajectories."""

    experience: Experience
    batches: Sequence[Sequence[Trajectory]]
    prompt_cap: int
    played: set[str] = field(default_factory=set)
    """Keys of the episodes of earlier turns."""

    def batch(self, turn: int) -> Sequence[Trajectory]:
        """Return the trajectories that the reflector is given."""
        return () if self.experience == "pooled" else self.batches[turn - 1]

    def rollouts(self, turn: int) -> ReflectorRollouts | None:
        """Return what plays its own episodes in a turn; None if it plays none."""
        if self.experience == "pooled":
            everything = [trajectory for batch in self.batches for trajectory in batch]
            size = max(1, len(everything) // len(self.batches))
            shown = list(islice(cycle(everything), size * len(self.batches)))
            return self._rollouts(shown, size * turn - len(self.played))
        if self.experience == "halved":
            return self._rollouts(self.batches[turn - 1], len(self.batches[turn - 1]))
        return None

    def _rollouts(self, trajectories: Sequence[Trajectory], budget: int) -> ReflectorRollouts:
        async def play(tasks: Sequence[Task], prompt: str, *, again: bool) -> list[Trajectory]:
            return [trajectories[int(task.id)] for task in tasks]

        tasks = tuple(Task(id=str(n), family="sample", env="sample", params={}) for n in range(len(trajectories)))
        return ReflectorRollouts("under check", tasks, budget, self.prompt_cap, frozenset(self.played), play)

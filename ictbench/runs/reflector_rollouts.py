"""Episodes that a reflector plays itself during one turn."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ictbench.errors import PluginError
from ictbench.records import episode_key, prompt_digest

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from ictbench.records import Task, Trajectory


@dataclass
class ReflectorRollouts:
    """The `BatchPlayer` of one turn: as many episodes as its batch has, besides those played for the batch itself."""

    label: str
    """Label of the reflector."""
    tasks: tuple[Task, ...]
    """Tasks of the batch."""
    prompt: str
    """Prompt under which the batch was played."""
    play: Callable[[Sequence[Task], str], Awaitable[list[Trajectory]]]
    keys: list[str] = field(default_factory=list)
    """Keys of the episodes requested so far."""

    @property
    def left(self) -> int:
        """Number of episodes that may still be played in this turn."""
        return len(self.tasks) - len(self.keys)

    async def __call__(self, prompt: str, indices: Sequence[int]) -> list[Trajectory]:
        """Return trajectories of the tasks at these positions of the batch; see `ictbench.reflectors.BatchPlayer`."""
        tasks = [self.tasks[index] for index in indices]
        digest = prompt_digest(prompt)
        # Under the prompt of the batch, its own episodes are returned, at no charge.
        keys = dict.fromkeys(episode_key(task.id, digest) for task in tasks) if prompt != self.prompt else {}
        new = [key for key in keys if key not in self.keys]
        if len(new) > self.left:
            raise PluginError(
                f"reflector {self.label} requests {len(new)} episodes of its own, but has {self.left} left in this turn"
            )
        self.keys += new
        return await self.play(tasks, prompt)

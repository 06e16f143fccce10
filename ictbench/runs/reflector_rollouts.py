"""The episodes that a reflector has played itself: on the tasks of its turn's batch, and counted."""

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
    """One turn's `BatchPlayer`: as many episodes as its batch has, beside those that the batch was played in."""

    label: str
    """Of the reflector."""
    tasks: tuple[Task, ...]
    prompt: str
    """Under which the batch was played."""
    play: Callable[[Sequence[Task], str], Awaitable[list[Trajectory]]]
    keys: list[str] = field(default_factory=list)
    """Of the episodes that were asked for."""

    @property
    def left(self) -> int:
        """Episodes that may still be played in this turn."""
        return len(self.tasks) - len(self.keys)

    async def __call__(self, prompt: str, indices: Sequence[int]) -> list[Trajectory]:
        """Trajectories of the tasks at these positions of the batch; see `ictbench.reflectors.BatchPlayer`."""
        tasks = [self.tasks[index] for index in indices]
        digest = prompt_digest(prompt)
        wanted = dict.fromkeys(episode_key(task.id, digest) for task in tasks) if prompt != self.prompt else {}
        new = [key for key in wanted if key not in self.keys]
        if len(new) > self.left:
            raise PluginError(
                f"reflector {self.label} asks for {len(new)} episodes of its own, and has {self.left} left in this turn"
            )
        self.keys += new
        return await self.play(tasks, prompt)

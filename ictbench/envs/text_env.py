"""The contract of an environment."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ictbench.records import Observation, Task


class TextEnv(ABC):
    """Environment that is played through text.

    An environment that measures how much of a task is done reports it as `Observation.progress`, beside its own success
    status: in every observation of a task, and 1 when the task is solved. It is the state now, not the highest one so
    far; what counts for an episode is the progress at its end.

    An instance is reused: it is reset to one task after another. A task gives the same episode in a new instance, in
    a used one, in another process and on another date. All methods are synchronous and are called by one thread at a
    time, never on the event loop.
    """

    addressed: ClassVar[bool] = False
    """Whether the name of the environment ends in an address, as in `gym:FrozenLake-v1`: its class plays whatever the
    address names. An instance is then created with the address as its only argument."""

    @abstractmethod
    def reset(self, task: Task) -> Observation:
        """Start `task` and return the first observation."""

    @abstractmethod
    def step(self, action: str) -> Observation:
        """Execute one of the available actions of the last observation and return the next observation.

        Args:
            action: Spelled exactly as in `Observation.actions`.
        """

    @abstractmethod
    def close(self) -> None:
        """Release all resources. The instance is not used again."""

    @abstractmethod
    def versions(self) -> dict[str, str]:
        """Return the version of each package on which the environment's behaviour depends."""

    @classmethod
    def pool_key(cls, task: Task) -> str:
        """Return the key of the instances that can play `task`.

        An instance that played one task can be reset to any task with an equal key. By default, to all tasks.
        """
        return ""

    @classmethod
    def unplayable(cls, tasks: Iterable[Task]) -> str | None:
        """Return why some of the tasks cannot be played on this machine and what to do, None if all can.

        Called once before a run. The answer is one line.
        """
        return None

    @classmethod
    def start_key(cls, first: Observation) -> str | None:
        """Return what distinguishes the start of one task from that of another, from the first observation.

        Two tasks with equal keys start alike, whatever else their screens say: a key leaves out counters and messages
        that make every screen unique. None, the default, stands for the whole first observation.
        """
        return None

    def content_key(self) -> str | None:
        """Return a digest of the whole current task, of what its start hides too; None if it is not known.

        Called after `reset`, before the first step. Two tasks with equal keys are the same task under two names: pools
        of a suite are disjoint in content if no key occurs in two of them.
        """
        return None

    def solve(self) -> Sequence[str]:
        """Return actions that solve the current task from its start. Optional; the `solver` actor needs it."""
        raise NotImplementedError(f"{type(self).__name__} has no solver")

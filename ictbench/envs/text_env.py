"""The contract of an environment."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ictbench.records import Observation, Task


class TextEnv(ABC):
    """A world played through text.

    An instance is kept warm and reset to task after task. The same task gives the same episode in a fresh
    instance, in a used one, in another process and on another date. It is synchronous and used by one thread
    at a time; whoever drives it keeps it off the event loop.
    """

    @abstractmethod
    def reset(self, task: Task) -> Observation:
        """Start `task` and return the first observation."""

    @abstractmethod
    def step(self, action: str) -> Observation:
        """Execute one of the available actions of the last observation, spelled exactly so."""

    @abstractmethod
    def close(self) -> None:
        """Release everything; the instance is not used again."""

    @abstractmethod
    def versions(self) -> dict[str, str]:
        """Versions of the packages on which the behaviour depends, by package name."""

    @classmethod
    def pool_key(cls, task: Task) -> str:
        """Tasks with equal keys can share one warm instance. By default, all of them can."""
        return ""

    @classmethod
    def unplayable(cls, tasks: Iterable[Task]) -> str | None:
        """Why some of these tasks cannot be played here, in one line with what to do; None where nothing is missing."""
        return None

    def solve(self) -> Sequence[str]:
        """Actions that solve the current task from its start. Optional: the `solver` actor needs it."""
        raise NotImplementedError(f"{type(self).__name__} has no solver")

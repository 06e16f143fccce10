"""The contract of an executor, which plays many episodes concurrently."""

from __future__ import annotations

from abc import ABC, abstractmethod
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ictbench.records import Episode, EpisodeSpec


class Priority(IntEnum):
    """Order in which queued episodes and requests are served, lowest first: a loop waits only for its experience."""

    EXPERIENCE = 0
    SELECTION = 1
    TEST = 2


class Executor(ABC):
    """Plays episodes concurrently; none waits for another. All three executors give equal episodes."""

    workers = 1
    """Intended number of workers."""
    ready = 1
    """Workers that can play now."""
    lost = 0
    """Workers that have died so far."""

    @abstractmethod
    async def play(self, spec: EpisodeSpec, priority: Priority) -> Episode:
        """Play one episode, starting now; its model requests queue by `priority`.

        Raises:
            InfrastructureError: The episode is owed.
        """

    @abstractmethod
    async def aclose(self) -> None:
        """Stop all workers and release what they held."""

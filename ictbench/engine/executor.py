"""The contract of whatever plays many episodes at once."""

from __future__ import annotations

from abc import ABC, abstractmethod
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ictbench.records import Episode, EpisodeSpec


class Priority(IntEnum):
    """What goes first where episodes queue: a loop waits for its batch, and for nothing else."""

    EXPERIENCE = 0
    SELECTION = 1
    TEST = 2


class Executor(ABC):
    """Plays episodes, as many at once as it is allowed, never one waiting for another to finish its turn."""

    @abstractmethod
    async def play(self, spec: EpisodeSpec, priority: Priority) -> Episode:
        """Play one episode when its turn has come.

        Raises:
            InfrastructureError: the episode is owed.
        """

    @abstractmethod
    async def aclose(self) -> None:
        """Release everything."""

"""The contract of whatever plays many episodes at once."""

from __future__ import annotations

from abc import ABC, abstractmethod
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ictbench.records import Episode, EpisodeSpec


class Priority(IntEnum):
    """What goes first where episodes or requests queue: a loop waits for its batch, and for nothing else."""

    EXPERIENCE = 0
    SELECTION = 1
    TEST = 2


class Executor(ABC):
    """Plays episodes side by side, none waiting for another."""

    workers = 1
    """How many workers there should be."""
    ready = 1
    """How many can play now."""
    lost = 0
    """How many have died."""

    @abstractmethod
    async def play(self, spec: EpisodeSpec, priority: Priority) -> Episode:
        """Play one episode, beginning now; its requests to a model queue by `priority`.

        Raises:
            InfrastructureError: the episode is owed.
        """

    @abstractmethod
    async def aclose(self) -> None:
        """Release everything."""

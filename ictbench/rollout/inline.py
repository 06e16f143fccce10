"""Executor that plays in the calling process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ictbench.rollout.executor import Executor
from ictbench.rollout.worker import EpisodeWorker

if TYPE_CHECKING:
    from ictbench.records import Episode, EpisodeSpec
    from ictbench.rollout.executor import Priority


class InlineExecutor(Executor):
    """One worker on the event loop of this process; an environment that crashes or hangs takes the process with it."""

    def __init__(self, worker: EpisodeWorker | None = None) -> None:
        self.worker = worker or EpisodeWorker()

    async def play(self, spec: EpisodeSpec, priority: Priority) -> Episode:
        """Play one episode."""
        return await self.worker.play(spec, priority)

    async def aclose(self) -> None:
        """Close the worker."""
        await self.worker.aclose()

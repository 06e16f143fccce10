"""Stops a run whose endpoint is down, instead of turning an outage into thousands of owed episodes."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from ictbench.errors import EndpointDownError, InfrastructureError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ictbench.runs.progress import Progress

log = logging.getLogger(__name__)

FAILURES_IN_A_ROW = 8
MAX_PAUSES = 2
"""In a row: a probe may succeed where the work itself does not."""


class CircuitBreaker:
    """After many failures in a row, pauses everything, probes once, and goes on or gives up."""

    def __init__(self, probe: Callable[[], Awaitable[None]], progress: Progress, pause: float) -> None:
        self._probe = probe
        self._progress = progress
        self._pause = pause
        self._failures = 0
        self._pauses = 0
        self._pausing: asyncio.Task[None] | None = None

    @property
    def paused(self) -> bool:
        """Whether everything waits for the probe."""
        return self._pausing is not None

    async def passage(self) -> None:
        """Wait while the run is paused.

        Raises:
            EndpointDownError: the probe has failed, or nothing could be probed.
        """
        if self._pausing is not None:
            await asyncio.shield(self._pausing)

    def succeeded(self) -> None:
        """Something worked."""
        self._failures = self._pauses = 0

    def failed(self, error: InfrastructureError) -> None:
        """Something failed; one too many in a row starts the pause."""
        self._failures += 1
        if self._failures >= FAILURES_IN_A_ROW and self._pausing is None:
            log.warning("%d failures in a row: pausing for %g s; the last: %s", self._failures, self._pause, error)
            self._progress.paused = True
            self._pausing = asyncio.create_task(self._pause_and_probe(error))
            self._pausing.add_done_callback(lambda task: task.cancelled() or task.exception())

    async def aclose(self) -> None:
        """End a pause that nobody waits for any more."""
        if self._pausing is not None:
            self._pausing.cancel()
            await asyncio.gather(self._pausing, return_exceptions=True)

    async def _pause_and_probe(self, error: InfrastructureError) -> None:
        if self._pauses == MAX_PAUSES:
            raise EndpointDownError(f"nothing works any more, not after {MAX_PAUSES} pauses either: {error}") from error
        await asyncio.sleep(self._pause)
        try:
            await self._probe()
        except InfrastructureError as still:
            raise EndpointDownError(
                f"nothing works any more: {FAILURES_IN_A_ROW} attempts in a row failed, "
                f"and another one after a pause of {self._pause:g} s: {still}"
            ) from error
        self._failures = 0
        self._pauses += 1
        self._pausing = None
        self._progress.paused = False

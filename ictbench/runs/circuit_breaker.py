"""Circuit breaker: stops a run whose endpoint or environment is down, before it leaves thousands of episodes owed."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from ictbench.errors import EndpointDownError, EnvError, InfrastructureError, PluginError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ictbench.runs.progress import Progress

log = logging.getLogger(__name__)

FAILURES_IN_A_ROW = 8
MAX_PAUSES = 2
"""Pauses in a row: a probe may succeed although the work itself always fails."""


class CircuitBreaker:
    """After many failures in a row, pauses all work, probes the endpoint once, and then resumes or gives up."""

    def __init__(self, probe: Callable[[], Awaitable[None]], progress: Progress, pause: float) -> None:
        """Create a closed breaker.

        Args:
            probe: Makes one request; raises InfrastructureError if it fails.
            progress: Shows whether the run is paused.
            pause: Seconds to wait before the probe.
        """
        self._probe = probe
        self._progress = progress
        self._pause = pause
        self._failures = 0
        self._pauses = 0
        self._env_failures = 0
        self._pausing: asyncio.Task[None] | None = None

    @property
    def paused(self) -> bool:
        """True while all work waits for the probe."""
        return self._pausing is not None

    async def wait(self) -> None:
        """Wait while the run is paused.

        Raises:
            EndpointDownError: The probe failed, or work still fails after the maximum number of pauses.
        """
        if self._pausing is not None:
            await asyncio.shield(self._pausing)

    def record_success(self) -> None:
        """Reset the counts of failures and pauses."""
        self._failures = self._pauses = self._env_failures = 0

    def record_failure(self, error: InfrastructureError) -> None:
        """Count a failure, and start a pause after too many in a row.

        Raises:
            PluginError: Too many episodes in a row failed in their environment, which a pause does not repair.
        """
        if isinstance(error, EnvError):
            self._env_failures += 1
            if self._env_failures >= FAILURES_IN_A_ROW:
                raise PluginError(f"{self._env_failures} episodes in a row failed: {error}") from error
            return
        self._failures += 1
        if self._failures >= FAILURES_IN_A_ROW and self._pausing is None:
            log.warning("%d failures in a row: pausing for %g s; the last: %s", self._failures, self._pause, error)
            self._progress.paused = True
            self._pausing = asyncio.create_task(self._pause_and_probe(error))
            self._pausing.add_done_callback(lambda task: task.cancelled() or task.exception())

    async def aclose(self) -> None:
        """Cancel a pause that is still running."""
        if self._pausing is not None:
            self._pausing.cancel()
            await asyncio.gather(self._pausing, return_exceptions=True)

    async def _pause_and_probe(self, error: InfrastructureError) -> None:
        if self._pauses == MAX_PAUSES:
            raise EndpointDownError(f"every attempt fails, even after {MAX_PAUSES} pauses: {error}") from error
        await asyncio.sleep(self._pause)
        try:
            await self._probe()
        except InfrastructureError as probe_error:
            raise EndpointDownError(
                f"the endpoint is down: {FAILURES_IN_A_ROW} attempts in a row failed, "
                f"and another one after a pause of {self._pause:g} s: {probe_error}"
            ) from error
        self._failures = 0
        self._pauses += 1
        self._pausing = None
        self._progress.paused = False

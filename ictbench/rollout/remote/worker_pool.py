"""Pool of workers: distributes episodes, replaces workers that die, and repeats the episodes these were playing."""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from ictbench.errors import EnvError, WorkerError, WorkerLostError
from ictbench.rollout.executor import Executor

if TYPE_CHECKING:
    from ictbench.records import Episode, EpisodeSpec
    from ictbench.rollout.executor import Priority
    from ictbench.rollout.remote.worker_handle import WorkerHandle

MAX_LOSSES = 3
"""Workers that one episode may lose before it is owed. It has the last one to itself, so that no other is affected."""
MAX_STARTS = 3
"""Successive attempts to start a worker that dies before it is ready."""
RESTART_SECONDS = 0.5
"""Wait before the second attempt; doubled for each further one."""
GATHER_SECONDS = 10.0
"""Longest wait for the other workers when the first is ready, so that the first does not receive all episodes."""
HEALTH_CHECK_SECONDS = 0.5
STOP_SECONDS = 5.0
"""Time that workers have to end by themselves before they are killed."""

log = logging.getLogger(__name__)


class WorkerStarter(ABC):
    """Starts workers of one kind."""

    @abstractmethod
    async def start(self, name: str) -> WorkerHandle:
        """Start one worker; its handle tells when it is ready or lost.

        Raises:
            WorkerError: The worker cannot be started.
        """

    async def aclose(self) -> None:  # noqa: B027 - optional
        """Release what all workers share."""


class WorkerPool(Executor):
    """Fixed-size pool of workers; each plays many episodes concurrently. They start with the first episode.

    Args:
        starter: Starts the workers.
        workers: Number of workers.
        env_timeout: Seconds that a worker may be silent, or one call of an environment may take.
    """

    def __init__(self, starter: WorkerStarter, workers: int, env_timeout: float) -> None:
        self.workers = workers
        self._starter = starter
        self._env_timeout = env_timeout
        self._handles: dict[str, WorkerHandle] = {}
        """Workers that are ready, by name."""
        self._start_errors: dict[str, str] = {}
        """Names of workers that cannot be started, and why."""
        self._changed = asyncio.Condition()
        """Notified when one of the two changes."""
        self._opening: asyncio.Task[None] | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._reserving = asyncio.Lock()
        self._reserved: WorkerHandle | None = None
        """The worker that only one episode may use."""

    @property
    def ready(self) -> int:  # type: ignore[override]
        """Workers that can play now."""
        # A copy, because the thread that shows progress reads it too.
        return sum(not handle.lost.is_set() for handle in list(self._handles.values()))

    async def play(self, spec: EpisodeSpec, priority: Priority) -> Episode:
        """Play one episode on the least busy worker, and on another one if that dies.

        Raises:
            InfrastructureError: The episode is owed.
            WorkerError: No worker can be started.
        """
        if self._opening is None:
            self._opening = asyncio.create_task(self._open())
        if self._opening.done():
            self._opening.result()
        else:
            await asyncio.shield(self._opening)
        losses = 0
        while losses < MAX_LOSSES - 1:
            handle = await self._least_busy()
            try:
                return await handle.play(spec, priority)
            except WorkerLostError as error:
                losses += error.blamed
        return await self._play_alone(spec, priority)

    async def aclose(self) -> None:
        """Let the workers end, and kill those that do not."""
        if self._opening is not None:
            self._opening.cancel()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, *filter(None, [self._opening]), return_exceptions=True)
        await _stop(list(self._handles.values()))
        self._handles.clear()
        await self._starter.aclose()

    async def _open(self) -> None:
        """Start all workers and wait until at least one is ready, if any can be."""
        self._tasks = [asyncio.create_task(self._supervise(str(number))) for number in range(self.workers)]
        self._tasks.append(asyncio.create_task(self._check_health()))
        async with self._changed:
            await self._changed.wait_for(lambda: self._handles or self._none_can_start)
            if self._handles:
                try:
                    async with asyncio.timeout(GATHER_SECONDS):
                        await self._changed.wait_for(
                            lambda: len(self._handles) + len(self._start_errors) == self.workers
                        )
                except TimeoutError:
                    log.info("%d of %d workers are ready; starting with these", len(self._handles), self.workers)

    @property
    def _none_can_start(self) -> bool:
        return len(self._start_errors) == self.workers

    async def _supervise(self, name: str) -> None:
        """Keep one worker of this name running."""
        starts = 0
        while True:
            try:
                handle = await self._starter.start(name)
                await self._wait_until_ready(handle)
            except Exception as error:  # a starter may raise anything, and episodes wait for its worker
                await self._give_up(name, str(error) or repr(error))
                return
            if handle.lost.is_set():
                starts += 1
                if starts == MAX_STARTS:
                    await self._give_up(name, handle.lost_reason)
                    return
                await asyncio.sleep(RESTART_SECONDS * 2 ** (starts - 1))
                continue
            starts = 0
            async with self._changed:
                self._handles[name] = handle
                self._changed.notify_all()
            await handle.lost.wait()
            self.lost += 1
            log.warning("worker %s is lost and will be replaced: %s", name, handle.lost_reason)
            del self._handles[name]

    async def _wait_until_ready(self, handle: WorkerHandle) -> None:
        try:
            await handle.ready.wait()
        except asyncio.CancelledError:
            handle.lose("it was not needed any more")
            raise

    async def _give_up(self, name: str, reason: str) -> None:
        log.error("worker %s cannot be started: %s", name, reason)
        async with self._changed:
            self._start_errors[name] = reason
            self._changed.notify_all()

    async def _check_health(self) -> None:
        while True:
            await asyncio.sleep(HEALTH_CHECK_SECONDS)
            for handle in list(self._handles.values()):
                handle.check_health(self._env_timeout)

    async def _least_busy(self) -> WorkerHandle:
        """Wait for a worker that takes episodes, and return the one that plays the fewest."""
        if not (available := self._available()):
            async with self._changed:
                await self._changed.wait_for(lambda: self._available() or self._none_can_start)
            available = self._available()
        if not available:
            raise WorkerError(f"no worker can be started: {next(iter(self._start_errors.values()))}")
        return min(available, key=lambda handle: handle.in_flight)

    def _available(self) -> list[WorkerHandle]:
        """Return the workers that take episodes. One that was just lost may still be listed, and is left out."""
        return [
            handle for handle in self._handles.values() if not handle.lost.is_set() and handle is not self._reserved
        ]

    async def _play_alone(self, spec: EpisodeSpec, priority: Priority) -> Episode:
        """Play an episode for the last time, on a worker that plays nothing else."""
        async with self._reserving:
            while True:
                self._reserved = handle = await self._least_busy()
                try:
                    await handle.idle.wait()
                    return await handle.play(spec, priority)
                except WorkerLostError as error:
                    if error.blamed:
                        raise EnvError(
                            f"it was played {MAX_LOSSES} times, and each time its worker died: {error}"
                        ) from error
                finally:
                    async with self._changed:
                        self._reserved = None
                        self._changed.notify_all()


async def _stop(handles: list[WorkerHandle]) -> None:
    for handle in handles:
        handle.stop()
    if handles:
        await asyncio.wait([asyncio.create_task(handle.lost.wait()) for handle in handles], timeout=STOP_SECONDS)
    for handle in handles:
        handle.lose("it did not end when asked to")

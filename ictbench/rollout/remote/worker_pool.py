"""Plays episodes on workers: hands them out, replaces workers that die, and has what they were playing played again."""

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

LOSSES = 3
"""Workers that an episode may lose before it is owed; the last one has it alone, so that no other pays for it."""
STARTS = 3
"""How often in a row a worker may die before it is ready."""
RESTART_SECONDS = 0.5
"""Before another start, doubled each time."""
GATHER_SECONDS = 10.0
"""How long to wait for the other workers once the first is ready, so that none gets everything."""
WATCH_SECONDS = 0.5
STOP_SECONDS = 10.0
"""Between asking workers to end and ending them."""

log = logging.getLogger(__name__)


class Starter(ABC):
    """A way to start workers."""

    @abstractmethod
    async def start(self, name: str) -> WorkerHandle:
        """Start one worker; its link tells when it is ready, or gone.

        Raises:
            WorkerError: none can be started.
        """

    async def aclose(self) -> None:  # noqa: B027 - many share nothing
        """Release what all workers shared."""


class WorkerPool(Executor):
    """So many workers, each with as many episodes in flight as come its way. They start with the first episode.

    Args:
        starter: how to start a worker.
        workers: how many.
        patience: seconds that a worker may be silent, or its environment take for one call.
    """

    def __init__(self, starter: Starter, workers: int, patience: float) -> None:
        self.workers = workers
        self._starter = starter
        self._patience = patience
        self._links: dict[str, WorkerHandle] = {}
        """Workers that are ready, by name."""
        self._trouble: dict[str, str] = {}
        """Why there is no worker of that name, and will be none."""
        self._changed = asyncio.Condition()
        self._opening: asyncio.Task[None] | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._alone = asyncio.Lock()
        self._kept_free: WorkerHandle | None = None
        """The worker that only one episode may have."""

    @property
    def ready(self) -> int:  # type: ignore[override]
        """How many can play now."""
        # A copy: the thread that shows progress asks too.
        return sum(not link.gone.is_set() for link in list(self._links.values()))

    async def play(self, spec: EpisodeSpec, priority: Priority) -> Episode:
        """Play one episode on the worker that has the fewest; on another one if that dies.

        Raises:
            InfrastructureError: the episode is owed.
            WorkerError: there are no workers.
        """
        if self._opening is None:
            self._opening = asyncio.create_task(self._open())
        await asyncio.shield(self._opening)
        losses = 0
        while losses < LOSSES - 1:
            link = await self._least_busy()
            try:
                return await link.play(spec, priority)
            except WorkerLostError as error:
                losses += error.blamed
        return await self._play_alone(spec, priority)

    async def aclose(self) -> None:
        """Let the workers end, and end those that do not."""
        if self._opening is not None:
            self._opening.cancel()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, *filter(None, [self._opening]), return_exceptions=True)
        await _end(list(self._links.values()))
        self._links.clear()
        await self._starter.aclose()

    async def _open(self) -> None:
        self._tasks = [asyncio.create_task(self._keep(str(number))) for number in range(self.workers)]
        self._tasks.append(asyncio.create_task(self._watch()))
        async with self._changed:
            await self._changed.wait_for(lambda: self._links or len(self._trouble) == self.workers)
            if self._links:
                try:
                    async with asyncio.timeout(GATHER_SECONDS):
                        await self._changed.wait_for(lambda: len(self._links) + len(self._trouble) == self.workers)
                except TimeoutError:
                    log.info("%d of %d workers are ready; going on with them", len(self._links), self.workers)

    async def _keep(self, name: str) -> None:
        """Have one worker of this name at all times."""
        starts = 0
        while True:
            try:
                link = await self._starter.start(name)
                await self._until_ready(link)
            except Exception as error:  # whatever a way to start workers may raise: somebody waits for them
                await self._give_up(name, str(error) or repr(error))
                return
            if link.gone.is_set():
                starts += 1
                if starts == STARTS:
                    await self._give_up(name, link.why_gone)
                    return
                await asyncio.sleep(RESTART_SECONDS * 2 ** (starts - 1))
                continue
            starts = 0
            async with self._changed:
                self._links[name] = link
                self._changed.notify_all()
            await link.gone.wait()
            self.lost += 1
            log.warning("worker %s is lost, and started anew: %s", name, link.why_gone)
            del self._links[name]

    async def _until_ready(self, link: WorkerHandle) -> None:
        try:
            await link.ready.wait()
        except asyncio.CancelledError:
            link.lose("it was not needed any more")
            raise

    async def _give_up(self, name: str, why: str) -> None:
        log.error("worker %s cannot be started: %s", name, why)
        async with self._changed:
            self._trouble[name] = why
            self._changed.notify_all()

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            for link in list(self._links.values()):
                link.watch(self._patience)

    async def _least_busy(self) -> WorkerHandle:
        async with self._changed:
            await self._changed.wait_for(lambda: self._free() or len(self._trouble) == self.workers)
        if not (free := self._free()):
            raise WorkerError(f"no worker can be started: {next(iter(self._trouble.values()))}")
        return min(free, key=lambda link: link.in_flight)

    def _free(self) -> list[WorkerHandle]:
        """Workers that take episodes: not one that has died this moment, of which its keeper does not know yet."""
        return [link for link in self._links.values() if not link.gone.is_set() and link is not self._kept_free]

    async def _play_alone(self, spec: EpisodeSpec, priority: Priority) -> Episode:
        """Once more, on a worker that has nothing else to lose."""
        async with self._alone:
            while True:
                self._kept_free = link = await self._least_busy()
                try:
                    await link.idle.wait()
                    return await link.play(spec, priority)
                except WorkerLostError as error:
                    if error.blamed:
                        raise EnvError(
                            f"it was played {LOSSES} times, and each time its worker died: {error}"
                        ) from error
                finally:
                    async with self._changed:
                        self._kept_free = None
                        self._changed.notify_all()


async def _end(links: list[WorkerHandle]) -> None:
    for link in links:
        link.stop()
    if links:
        await asyncio.wait([asyncio.create_task(link.gone.wait()) for link in links], timeout=STOP_SECONDS)
    for link in links:
        link.lose("it did not end when told to")

"""Which episodes of a run are known: each is played once, recorded, and shared by all who ask for it."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, TypeVar

from ictbench.errors import InfrastructureError, WorkerError
from ictbench.rollout import Priority
from ictbench.semaphore import PrioritySemaphore

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from ictbench.records import Episode, EpisodeSpec, Task, Trajectory
    from ictbench.rollout import Executor
    from ictbench.runs.circuit_breaker import CircuitBreaker
    from ictbench.runs.journal import Journal
    from ictbench.runs.progress import Progress

T = TypeVar("T")

ATTEMPTS = 2
"""How often an episode is tried before it is owed; the second time only once the breaker lets it through."""

log = logging.getLogger(__name__)


class EpisodeStore:
    """Plays what the journal does not hold yet.

    Experience and scoring have `capacity` episodes in flight each, so that a loop never waits for scoring to end
    before its next batch begins; which requests go first is then the meter's affair. Episodes come into being only as
    they begin: however many are planned, those waiting take no room.
    """

    def __init__(
        self,
        journal: Journal,
        executor: Executor,
        progress: Progress,
        breaker: CircuitBreaker,
        *,
        capacity: int,
        versions: Mapping[str, str],
    ) -> None:
        self._journal = journal
        self._executor = executor
        self._progress = progress
        self._breaker = breaker
        self._versions = versions
        experience, scoring = PrioritySemaphore(capacity), PrioritySemaphore(capacity)
        self._slots = {p: experience if p is Priority.EXPERIENCE else scoring for p in Priority}
        self._in_flight: dict[str, asyncio.Task[bool]] = {}
        self.owed: dict[str, str] = {}
        """What went wrong, by key."""

    async def outcomes(
        self,
        tasks: Sequence[Task],
        spec: Callable[[Task], EpisodeSpec],
        priority: Priority,
        on_answer: Callable[[bool, bool], None] = lambda solved, found: None,
    ) -> list[bool]:
        """Whether the episodes of tasks are solved, in the order of the tasks, played if need be.

        Args:
            tasks: of the episodes.
            spec: gives the episode of a task.
            priority: what goes first.
            on_answer: told each outcome as soon as it is known, and whether it was found in the journal.

        Raises:
            InfrastructureError: one is owed; all others are played nevertheless.
            EndpointDownError: the run should stop.
        """
        keys = [spec(task).key for task in tasks]
        known = self._journal.solved(keys)
        for solved in known.values():
            on_answer(solved, True)
        ticket = self._slots[priority].ticket()
        playing: dict[str, asyncio.Task[bool]] = {}
        for task, key in zip(tasks, keys, strict=True):
            if key not in known and key not in playing:
                playing[key] = await self._playing(spec(task), priority, ticket)
                playing[key].add_done_callback(lambda done: _tell(on_answer, done))
        # Shielded: others may have asked for the same episodes.
        answers = await asyncio.gather(*map(asyncio.shield, playing.values()), return_exceptions=True)
        errors = [answer for answer in answers if isinstance(answer, BaseException)]
        for error in sorted(errors, key=lambda error: isinstance(error, InfrastructureError)):
            raise error
        known.update((key, task.result()) for key, task in playing.items())
        return [known[key] for key in keys]

    async def trajectories(
        self,
        tasks: Sequence[Task],
        spec: Callable[[Task], EpisodeSpec],
        on_answer: Callable[[bool, bool], None] = lambda solved, found: None,
    ) -> list[Trajectory]:
        """The same for experience, with all steps."""
        await self.outcomes(tasks, spec, Priority.EXPERIENCE, on_answer)
        return [self._recorded(spec(task).key).trajectory for task in tasks]

    async def aclose(self) -> None:
        """Let go of whatever is still being played."""
        tasks = list(self._in_flight.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def guarded(self, what: str, work: Callable[[], Awaitable[T]]) -> T:
        """Do work that may meet an outage: try it again after a pause that the endpoint survived.

        Raises:
            InfrastructureError: `what` is owed.
            EndpointDownError: the endpoint did not survive the pause.
        """
        for _ in range(ATTEMPTS):
            await self._breaker.passage()
            try:
                done = await work()
            except InfrastructureError as error:
                self._breaker.failed(error)
                trouble = error
                if self._breaker.paused:
                    continue
                break
            self._breaker.succeeded()
            return done
        log.warning("%s is owed: %s", what, trouble)
        self.owed[what] = str(trouble)
        self._progress.owed = len(self.owed)
        raise trouble

    async def _playing(self, spec: EpisodeSpec, priority: Priority, ticket: int) -> asyncio.Task[bool]:
        """The one task that plays an episode, begun once there is a slot for it."""
        key, slots = spec.key, self._slots[priority]
        if key in self._in_flight:
            return self._in_flight[key]
        await slots.acquire(priority, ticket)
        if key in self._in_flight:
            slots.release()
            return self._in_flight[key]
        # Another request may have had it played meanwhile.
        known = self._journal.solved([key])
        work = _given(known[key]) if known else self._play(spec, priority)
        self._in_flight[key] = task = asyncio.create_task(work)
        task.add_done_callback(lambda _: self._in_flight.pop(key))
        task.add_done_callback(lambda _: slots.release())
        return task

    async def _play(self, spec: EpisodeSpec, priority: Priority) -> bool:
        started, clock = time.time(), time.monotonic()
        episode = await self.guarded(spec.key, lambda: self._executor.play(spec, priority))
        self._check_versions(episode)
        self._journal.add_episode(episode, started, time.monotonic() - clock, self._progress.meter.spent)
        self._progress.played += 1
        self.owed.pop(spec.key, None)
        self._progress.owed = len(self.owed)
        log.debug("%s %s after %d decisions", spec.key, episode.trajectory.end, len(episode.trajectory.steps))
        return episode.trajectory.solved

    def _check_versions(self, episode: Episode) -> None:
        for package, version in self._versions.items():
            if (found := episode.versions.get(package, version)) != version:
                raise WorkerError(f"a worker plays with {package} {found}, and this run with {version}")

    def _recorded(self, key: str) -> Episode:
        episode = self._journal.episode(key)
        assert episode is not None, key
        return episode


async def _given(solved: bool) -> bool:
    return solved


def _tell(on_answer: Callable[[bool, bool], None], done: asyncio.Task[bool]) -> None:
    if not done.cancelled() and done.exception() is None:
        on_answer(done.result(), False)

"""Episode store: plays each episode of a run once, records it in the journal, and shares the result."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeVar

from ictbench.errors import InfrastructureError, WorkerError
from ictbench.rollout import Priority
from ictbench.semaphore import PrioritySemaphore

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from ictbench.records import Episode, EpisodeSpec, Task, Trajectory
    from ictbench.rollout import Executor
    from ictbench.runs.circuit_breaker import CircuitBreaker
    from ictbench.runs.failure_watch import FailureWatch
    from ictbench.runs.journal import Journal
    from ictbench.runs.progress import Progress

T = TypeVar("T")
E = TypeVar("E")
"""Whatever stands for an episode before its specification is made: its task, or task and replicate."""

ATTEMPTS = 2
"""Attempts before an episode is owed; the second one waits for the circuit breaker."""

log = logging.getLogger(__name__)

EpisodeSlots = Mapping[Priority, PrioritySemaphore]
"""Slots of the episodes in flight, by priority."""


def episode_slots(capacity: int) -> EpisodeSlots:
    """Return slots for `capacity` episodes of experience and as many of scoring.

    Both have their own, so that the next batch of a loop never waits for scoring to end; the usage meter then decides
    which requests go first.
    """
    experience, scoring = PrioritySemaphore(capacity), PrioritySemaphore(capacity)
    return {p: experience if p is Priority.EXPERIENCE else scoring for p in Priority}


class EpisodeStore:
    """Outcomes and trajectories of episodes; those that the journal does not hold are played.

    Specifications are made only when an episode starts, so that planned episodes take no memory.
    """

    def __init__(
        self,
        journal: Journal,
        executor: Executor,
        progress: Progress,
        breaker: CircuitBreaker,
        watch: FailureWatch,
        *,
        slots: EpisodeSlots,
        versions: Mapping[str, str],
        on_episode: Callable[[Episode], None] = lambda _: None,
    ) -> None:
        self._journal = journal
        self._executor = executor
        self._progress = progress
        self._breaker = breaker
        self._watch = watch
        self._versions = versions
        self._slots = slots
        self._on_episode = on_episode
        self._in_flight: dict[str, asyncio.Task[bool]] = {}
        self.owed: dict[str, str] = {}
        """Error messages by episode key or name of a reflection."""

    async def outcomes(
        self,
        episodes: Sequence[E],
        spec: Callable[[E], EpisodeSpec],
        priority: Priority,
        on_outcome: Callable[[bool, bool], None] = lambda solved, recorded: None,
    ) -> list[bool]:
        """Return whether each episode was solved, in their order; play those that are missing.

        Args:
            episodes: The episodes, as `spec` takes them.
            spec: Returns the specification of an episode.
            priority: Order among waiting episodes.
            on_outcome: Receives each outcome as soon as it is known, and whether the journal held it.

        Raises:
            InfrastructureError: An episode is owed; all others are played nevertheless.
            EndpointDownError: The run must stop.
            FailingModelError: The run must stop.
        """
        keys = [spec(episode).key for episode in episodes]
        known = self._journal.solved(keys)
        for solved in known.values():
            on_outcome(solved, True)
        ticket = self._slots[priority].ticket()
        playing: dict[str, asyncio.Task[bool]] = {}
        for episode, key in zip(episodes, keys, strict=True):
            if key not in known and key not in playing:
                playing[key] = await self._start(spec(episode), priority, ticket)
                playing[key].add_done_callback(lambda done: _report(on_outcome, done))
        # Shielded, because other callers may wait for the same episodes.
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
        on_outcome: Callable[[bool, bool], None] = lambda solved, recorded: None,
    ) -> list[Trajectory]:
        """Return the trajectory of each task, for experience; see `outcomes`."""
        await self.outcomes(tasks, spec, Priority.EXPERIENCE, on_outcome)
        return [self._recorded(spec(task).key).trajectory for task in tasks]

    async def aclose(self) -> None:
        """Cancel the episodes in flight; if the failure watch has stopped the run, wait for their end instead."""
        tasks = list(self._in_flight.values())
        for task in () if self._watch.tripped else tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def attempt(self, name: str, work: Callable[[], Awaitable[T]], *, uses_endpoint: bool = True) -> T:
        """Run work that may meet an outage; try it again after a pause that the endpoint survived.

        Args:
            name: Name of the work, if it is owed.
            work: The work.
            uses_endpoint: Whether its success shows that there is no outage.

        Raises:
            InfrastructureError: The work failed, and `name` is owed.
            EndpointDownError: The endpoint is still down after the pause.
            FailingModelError: The run must stop.
        """
        for _ in range(ATTEMPTS):
            await self._breaker.wait()
            self._watch.check()
            try:
                result = await work()
            except InfrastructureError as error:
                self._breaker.record_failure(error)
                failure = error
                if self._breaker.paused:
                    continue
                break
            if uses_endpoint:
                self._breaker.record_success()
            return result
        log.warning("%s is owed: %s", name, failure)
        self.owed[name] = str(failure)
        self._progress.owed = len(self.owed)
        raise failure

    async def _start(self, spec: EpisodeSpec, priority: Priority, ticket: int) -> asyncio.Task[bool]:
        """Return the one task that plays an episode, started as soon as a slot is free."""
        key, slots = spec.key, self._slots[priority]
        if key in self._in_flight:
            return self._in_flight[key]
        await slots.acquire(priority, ticket)
        if key in self._in_flight:
            slots.release()
            return self._in_flight[key]
        # Another caller may have had it played in the meantime.
        known = self._journal.solved([key])
        work = _return(known[key]) if known else self._play(spec, priority)
        self._in_flight[key] = task = asyncio.create_task(work)
        task.add_done_callback(lambda _: self._in_flight.pop(key))
        task.add_done_callback(lambda _: slots.release())
        return task

    async def _play(self, spec: EpisodeSpec, priority: Priority) -> bool:
        started, clock = time.time(), time.monotonic()
        with self._watch.observe("actor", spec.key) as report:
            episode = await self.attempt(spec.key, lambda: self._executor.play(spec, priority))
            self._check_versions(episode)
            self._journal.add_episode(episode, started, time.monotonic() - clock, self._progress.meter.spent)
            self._progress.played += 1
            self._progress.costs.add_episode(spec.task.family, episode.usage)
            self.owed.pop(spec.key, None)
            self._progress.owed = len(self.owed)
            trajectory = episode.trajectory
            log.debug("%s %s after %d decisions", spec.key, trajectory.end, len(trajectory.steps))
            report(trajectory.failure, episode.failure_detail)
            self._on_episode(episode)
        return trajectory.solved

    def _check_versions(self, episode: Episode) -> None:
        for package, version in self._versions.items():
            if (of_worker := episode.versions.get(package, version)) != version:
                raise WorkerError(f"a worker plays with {package} {of_worker}, but this run uses {version}")

    def _recorded(self, key: str) -> Episode:
        episode = self._journal.episode(key)
        assert episode is not None, key
        return episode


async def _return(solved: bool) -> bool:
    return solved


def _report(on_outcome: Callable[[bool, bool], None], done: asyncio.Task[bool]) -> None:
    if not done.cancelled() and done.exception() is None:
        on_outcome(done.result(), False)

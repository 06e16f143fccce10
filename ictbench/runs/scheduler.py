"""Scheduler of a run: carries out the requests of all loops concurrently."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ictbench.errors import IctbenchError, InfrastructureError, ModelFailure, PluginError
from ictbench.models.failure_detail import failure_detail
from ictbench.plugin_errors import asked_by, player_error
from ictbench.protocol import Audit, Loop, Online, Play, Reflect, Score, loop_seed, reflection_seed
from ictbench.records import UNREPORTED, Reflection, episode_key, prompt_digest
from ictbench.reflectors import OWN_EPISODES, Context
from ictbench.rollout import Priority
from ictbench.runs.checked_reflection import checked_reflection, copied
from ictbench.runs.reflector_rollouts import ReflectorRollouts, without_tasks

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ictbench.protocol import LoopPlan, LoopResult, Request
    from ictbench.records import EpisodeSpec, Task, Trajectory
    from ictbench.reflectors import Reflector
    from ictbench.runs.episode_store import EpisodeStore
    from ictbench.runs.failure_watch import FailureWatch
    from ictbench.runs.family_progress import FamilyProgress
    from ictbench.runs.journal import Journal
    from ictbench.runs.plan import RunPlan
    from ictbench.runs.progress import Progress
    from ictbench.runs.recall import Recalls

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Scheduler:
    """Scheduler of the loops of a run, which share episodes, journal, reflector and progress."""

    plan: RunPlan
    store: EpisodeStore
    journal: Journal
    reflector: Reflector
    progress: Progress
    watch: FailureWatch
    recalls: Recalls

    async def run(self, loops: Sequence[LoopPlan]) -> dict[str, list[LoopResult]]:
        """Run all loops as far as possible, and return the finished ones by family.

        Raises:
            EndpointDownError: The run must stop.
            FailingModelError: The run must stop.
        """
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._run_loop(plan)) for plan in loops]
        finished: dict[str, list[LoopResult]] = {}
        for plan, task in zip(loops, tasks, strict=True):
            if (result := task.result()) is not None:
                finished.setdefault(plan.family, []).append(result)
        return finished

    async def _run_loop(self, plan: LoopPlan) -> LoopResult | None:
        loop = Loop(plan)
        waiting = {self._start(request, plan) for request in loop.start()}
        try:
            while waiting:
                done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    try:
                        deliver, answer = task.result()
                    except InfrastructureError:
                        continue  # owed; the episode store has noted it
                    waiting |= {self._start(request, plan) for request in deliver(loop, answer)}
        finally:
            for task in waiting:
                task.cancel()
        if not loop.finished:
            return None
        result = loop.result()
        self._count_loop(plan, result)
        return result

    def _count_loop(self, plan: LoopPlan, result: LoopResult) -> None:
        """Count a finished loop, and correct the planned episodes, which are upper bounds, to what it took."""
        progress = self.progress.families[plan.family]
        progress.loops_done += 1
        # Where the best prompt is the first or the last, its test is played once.
        progress.episodes -= (self.plan.prompts_tested - len(result.test)) * len(plan.test) * plan.repeats
        # A reflector need not play all episodes that it may.
        experience = sum(map(len, (*(batch.tasks for batch in result.batches), *result.replays)))
        progress.episodes -= self.plan.sizes.turns * self.plan.sizes.batch_size - experience
        if result.online:
            # Where the best prompt is the first, the experience is played under one prompt.
            batches = (*plan.batches[1:], *(plan.batches if result.best else ()))
            planned = (2 * self.plan.sizes.turns - 1) * self.plan.sizes.batch_size
            progress.episodes -= planned - sum(map(len, batches))

    def _start(self, request: Request, plan: LoopPlan) -> asyncio.Task[tuple[Callable[[Loop, Any], Any], Any]]:
        answer = asyncio.create_task(self._answer(request, plan))
        # Of several simultaneous errors one is raised; retrieving the others keeps asyncio from logging them.
        answer.add_done_callback(lambda task: task.cancelled() or task.exception())
        return answer

    async def _answer(self, request: Request, plan: LoopPlan) -> tuple[Callable[[Loop, Any], Any], Any]:
        """Return the answer to a request, and the function that delivers it to the loop."""
        progress = self.progress.families[plan.family]
        match request:
            case Play():
                trajectories = await self._play(request, progress)
                return lambda loop, answer: loop.played(request, answer), trajectories
            case Reflect():
                reflection = await self._reflect(request, plan)
                progress.turns_done += 1
                return lambda loop, answer: loop.reflected(request, answer), reflection
            case Score():
                outcomes = await self._score(request, request.episodes, _priority(request), progress)
                if request.pool == "selection":
                    progress.add_selection(request.prompt_index, outcomes)
                return lambda loop, answer: loop.scored(request, answer), outcomes
            case Audit():
                episodes = [(task, 0) for task in request.tasks]
                outcomes = await self._score(request, episodes, Priority.TEST, progress)
                return lambda loop, answer: loop.audited(request, answer), outcomes
            case Online():
                episodes = [(task, 0) for task in request.tasks]
                outcomes = await self._score(request, episodes, Priority.TEST, progress)
                return lambda loop, answer: loop.compared(request, answer), outcomes

    async def _play(self, request: Play, progress: FamilyProgress) -> list[Trajectory]:
        spec = await self._specs(request, [(task, 0) for task in request.tasks])
        return await self.store.trajectories(request.tasks, lambda task: spec((task, 0)), self._counter(progress))

    async def _score(
        self,
        request: Score | Audit | Online,
        episodes: Sequence[tuple[Task, int]],
        priority: Priority,
        progress: FamilyProgress,
    ) -> list[bool]:
        """Return the outcomes of episodes that are given as task and replicate."""
        spec = await self._specs(request, episodes)
        return await self.store.outcomes(episodes, spec, priority, self._counter(progress))

    async def _specs(
        self, request: Play | Score | Audit | Online, episodes: Sequence[tuple[Task, int]]
    ) -> Callable[[tuple[Task, int]], EpisodeSpec]:
        """Return the function that makes an episode of a task and a replicate, with what the memory adds to it."""
        prompt, memory = request.prompt, request.memory
        added: Mapping[str, str] = {}
        if memory.value is not None:
            keys = {self.plan.episode(task, prompt, r, memory).key: task for task, r in episodes}
            recorded = self.journal.solved(keys)
            tasks = {task.id: task for key, task in keys.items() if key not in recorded}
            name = f"what the memory adds in {', '.join(sorted({task.family for task in tasks.values()}))}"
            added = await self.store.attempt(
                name, lambda: self.recalls.added(memory, [*tasks.values()]), uses_endpoint=False
            )

        def spec(episode: tuple[Task, int]) -> EpisodeSpec:
            task, replicate = episode
            return self.plan.episode(task, prompt, replicate, memory, added.get(task.id, ""))

        return spec

    async def _reflect(self, request: Reflect, plan: LoopPlan) -> Reflection:
        recorded = self.journal.reflection(plan.family, plan.index, request.turn)
        if recorded is not None:
            return recorded
        clock = time.monotonic()
        name = f"reflection {plan.family} loop {plan.index} turn {request.turn}"
        with self.watch.observe("reflector", name) as report:
            reflection = await self.store.attempt(name, lambda: self._call_reflector(request, plan))
            seconds, spent = time.monotonic() - clock, self.progress.meter.spent
            self.progress.costs.add_reflection(plan.family, reflection.usage)
            self.journal.add_reflection(plan.family, plan.index, request.turn, reflection, seconds, spent)
            log.info("%s done in %.1f s", name, seconds)
            report(reflection.failure, reflection.failure_detail)
        return reflection

    async def _call_reflector(self, request: Reflect, plan: LoopPlan) -> Reflection:
        # Made for each attempt: the episodes of an attempt that was cut short do not count against the next one.
        rollouts = self._rollouts(request, plan)
        context = Context(
            reflection_seed(self.plan.suite.digest, plan.family, plan.index, request.turn),
            self.plan.written_bytes,
            without_tasks(rollouts) if plan.experience in OWN_EPISODES else None,
            request.turn,
            loop_seed(self.plan.suite.digest, plan.family, plan.index),
            copied(request.memory),
        )
        place = f"reflector {self.plan.reflector.label}, turn {request.turn} of {plan.family}, loop {plan.index}"
        returned: Any = None
        try:
            returned = self.reflector.reflect(request.prompt, request.trajectories, request.state, context)
            answer = await returned
        except ModelFailure as error:
            usage = error.usage or UNREPORTED
            answer = Reflection(
                prompt=None,
                failure=error.kind,
                failure_detail=failure_detail(error),
                state=request.state,
                usage=usage,
            )
        except PluginError as error:
            raise asked_by(error, place) from error.__cause__
        except IctbenchError:
            raise
        except Exception as error:
            raise player_error(error, place, "reflect", type(self.reflector), returned) from error
        if not isinstance(answer, Reflection):
            raise PluginError(f"{place}: it returned {answer!r:.80}, which is not a Reflection")
        answer = rollouts.recorded_in(answer, optimiser=plan.experience == "pooled")
        return checked_reflection(place, answer, self.plan.traits.division)

    def _rollouts(self, request: Reflect, plan: LoopPlan) -> ReflectorRollouts:
        count = self._counter(self.progress.families[plan.family])

        async def play(tasks: Sequence[Task], prompt: str, *, again: bool) -> list[Trajectory]:
            spec = self._spec(prompt)
            return await (
                self.store.trajectories(tasks, spec) if again else self.store.trajectories(tasks, spec, count)
            )

        label = self.plan.reflector.label
        if plan.experience == "pooled":
            left = plan.budget(request.turn) - len(request.played)
            free = frozenset(request.played)
            return ReflectorRollouts(label, plan.experience_tasks, left, plan.prompt_bytes, free, play)
        batch, digest = plan.batches[request.turn - 1], prompt_digest(request.prompt)
        # Under the prompt of the batch, its own episodes are returned, at no charge.
        free = frozenset(episode_key(task.id, digest) for task in batch)
        return ReflectorRollouts(label, batch, len(batch), plan.prompt_bytes, free, play)

    def _spec(self, prompt: str) -> Callable[[Task], EpisodeSpec]:
        """Return the function that makes the episode of a task under a prompt."""
        return lambda task: self.plan.episode(task, prompt)

    def _counter(self, family: FamilyProgress) -> Callable[[bool, bool], None]:
        def count(solved: bool, recorded: bool) -> None:
            family.episodes_done += 1
            family.solved += solved
            self.progress.from_journal += recorded

        return count


def _priority(request: Score) -> Priority:
    """Return the priority of scoring: what a loop waits for precedes tests, which fill gaps."""
    if request.pool == "test" and not request.awaited:
        return Priority.TEST
    return Priority.SELECTION

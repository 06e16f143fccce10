"""Drives loops: carries out what the protocol's state machines request, all loops side by side."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ictbench.errors import InfrastructureError, ModelFailure, PluginError
from ictbench.protocol import Audit, Loop, Play, Reflect, Score, reflection_seed
from ictbench.records import Reflection, Usage
from ictbench.reflectors import Context
from ictbench.rollout import Priority
from ictbench.runs.reflector_rollouts import ReflectorRollouts

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ictbench.protocol import LoopPlan, LoopResult, Request
    from ictbench.records import EpisodeSpec, Task, Trajectory
    from ictbench.reflectors import Reflector
    from ictbench.runs.episode_store import EpisodeStore
    from ictbench.runs.journal import Journal
    from ictbench.runs.plan import RunPlan
    from ictbench.runs.progress import FamilyProgress, Progress

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Scheduler:
    """Everything a run's loops share."""

    plan: RunPlan
    ledger: EpisodeStore
    journal: Journal
    reflector: Reflector
    progress: Progress

    async def run(self, loops: Sequence[LoopPlan]) -> dict[str, list[LoopResult]]:
        """Drive all loops as far as they go, and return those that are finished, by family.

        Raises:
            EndpointDownError: the run should stop.
        """
        async with asyncio.TaskGroup() as group:
            driven = [group.create_task(self._drive(plan)) for plan in loops]
        finished: dict[str, list[LoopResult]] = {}
        for plan, task in zip(loops, driven, strict=True):
            if (result := task.result()) is not None:
                finished.setdefault(plan.family, []).append(result)
        return finished

    async def _drive(self, plan: LoopPlan) -> LoopResult | None:
        loop, progress = Loop(plan), self.progress.families[plan.family]
        waiting = {self._begin(request, plan) for request in loop.start()}
        try:
            while waiting:
                done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    try:
                        tell, answer = task.result()
                    except InfrastructureError:
                        continue  # owed, and noted where it happened
                    waiting |= {self._begin(request, plan) for request in tell(loop, answer)}
        finally:
            for task in waiting:
                task.cancel()
        if not loop.finished:
            return None
        result = loop.result()
        progress.loops_done += 1
        # The best prompt may be the first or the last: then its test was not played apart.
        progress.episodes -= (self.plan.prompts_tested - len(result.test)) * len(plan.test)
        # Nor need a reflector play all that it may.
        experience = sum(map(len, (*plan.batches, *result.replays)))
        progress.episodes -= self.plan.sizes.turns * self.plan.sizes.batch_size - experience
        return result

    def _begin(self, request: Request, plan: LoopPlan) -> asyncio.Task[tuple[Callable[[Loop, Any], Any], Any]]:
        answer = asyncio.create_task(self._answer(request, plan))
        # Of several errors in the same moment one is raised; the others are no news.
        answer.add_done_callback(lambda task: task.cancelled() or task.exception())
        return answer

    async def _answer(self, request: Request, plan: LoopPlan) -> tuple[Callable[[Loop, Any], Any], Any]:
        """What to tell the loop, and how."""
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
                outcomes = await self._score(request, _priority(request), progress)
                return lambda loop, answer: loop.scored(request, answer), outcomes
            case Audit():
                outcomes = await self._score(request, Priority.TEST, progress)
                return lambda loop, answer: loop.audited(request, answer), outcomes

    async def _play(self, request: Play, progress: FamilyProgress) -> list[Trajectory]:
        return await self.ledger.trajectories(request.tasks, self._spec(request.prompt), self._counter(progress))

    async def _score(self, request: Score | Audit, priority: Priority, progress: FamilyProgress) -> list[bool]:
        spec, count = self._spec(request.prompt), self._counter(progress)
        return await self.ledger.outcomes(request.tasks, spec, priority, count)

    async def _reflect(self, request: Reflect, plan: LoopPlan) -> Reflection:
        known = self.journal.reflection(plan.family, plan.index, request.turn)
        if known is not None:
            return known
        seed = reflection_seed(self.plan.suite.digest, plan.family, plan.index, request.turn)
        clock = time.monotonic()

        async def reflect() -> Reflection:
            # Each attempt has its own episodes: those of one that was cut short bought nothing.
            replays = self._replays(request, plan)
            play = replays if plan.experience == "halved" else None
            context = Context(seed, plan.prompt_bytes, play, request.turn)
            try:
                answer = await self.reflector.reflect(request.prompt, request.trajectories, request.state, context)
            except ModelFailure as error:
                usage = error.usage or Usage(calls=1, cost=None)
                answer = Reflection(prompt=None, failure=error.kind, state=request.state, usage=usage)
            if not isinstance(answer, Reflection):
                label = self.plan.reflector.label
                raise PluginError(f"reflector {label} answered {answer!r:.80}, which is no Reflection")
            return answer.model_copy(update={"replays": tuple(replays.keys)})

        what = f"reflection {plan.family} loop {plan.index} turn {request.turn}"
        reflection = await self.ledger.guarded(what, reflect)
        seconds, spent = time.monotonic() - clock, self.progress.meter.spent
        self.journal.add_reflection(plan.family, plan.index, request.turn, reflection, seconds, spent)
        log.info("%s done in %.1f s", what, seconds)
        return reflection

    def _replays(self, request: Reflect, plan: LoopPlan) -> ReflectorRollouts:
        count = self._counter(self.progress.families[plan.family])

        async def play(tasks: Sequence[Task], prompt: str) -> list[Trajectory]:
            return await self.ledger.trajectories(tasks, self._spec(prompt), count)

        return ReflectorRollouts(self.plan.reflector.label, plan.batches[request.turn - 1], request.prompt, play)

    def _spec(self, prompt: str) -> Callable[[Task], EpisodeSpec]:
        """The episode of a task under a prompt."""
        return lambda task: self.plan.episode(task, prompt)

    def _counter(self, family: FamilyProgress) -> Callable[[bool, bool], None]:
        def count(solved: bool, found: bool) -> None:
            family.episodes_done += 1
            family.solved += solved
            self.progress.recalled += found

        return count


def _priority(request: Score) -> Priority:
    """What a loop waits for goes before the tests that fill gaps."""
    if request.pool == "test" and not request.awaited:
        return Priority.TEST
    return Priority.SELECTION

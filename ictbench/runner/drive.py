"""Drives loops: carries out what the protocol's state machines request, all loops side by side."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ictbench.engine import Priority
from ictbench.errors import InfrastructureError, ModelFailure, PluginError
from ictbench.protocol import Loop, Play, Reflect, Score, reflection_seed, sampling_seed
from ictbench.records import EpisodeSpec, Reflection, Usage
from ictbench.reflectors import Context

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ictbench.protocol import LoopOutcome, LoopPlan, Request
    from ictbench.records import Task
    from ictbench.reflectors import Reflector
    from ictbench.runner.journal import Journal
    from ictbench.runner.ledger import Ledger
    from ictbench.runner.plan import RunPlan
    from ictbench.runner.progress import FamilyProgress, Progress

POOL_PRIORITY = {"selection": Priority.SELECTION, "test": Priority.TEST}


@dataclass(frozen=True, slots=True)
class Drive:
    """Everything a run's loops share."""

    plan: RunPlan
    ledger: Ledger
    journal: Journal
    reflector: Reflector
    progress: Progress

    async def run(self, loops: Sequence[LoopPlan]) -> list[LoopOutcome]:
        """Drive all loops as far as they go; those with owed episodes are missing from the answer.

        Raises:
            EndpointDownError: the run should stop.
        """
        async with asyncio.TaskGroup() as group:
            driven = [group.create_task(self._drive(plan)) for plan in loops]
        return [outcome for task in driven if (outcome := task.result()) is not None]

    async def _drive(self, plan: LoopPlan) -> LoopOutcome | None:
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
        outcome = loop.outcome()
        progress.loops_done += 1
        # The best prompt may be the first or the last: then its test was not played apart.
        progress.episodes -= (self.plan.prompts_tested - len(outcome.test)) * len(plan.test)
        return outcome

    def _begin(self, request: Request, plan: LoopPlan) -> asyncio.Task[tuple[Callable[[Loop, Any], Any], Any]]:
        return asyncio.create_task(self._answer(request, plan))

    async def _answer(self, request: Request, plan: LoopPlan) -> tuple[Callable[[Loop, Any], Any], Any]:
        """What to tell the loop, and how."""
        progress = self.progress.families[plan.family]
        match request:
            case Play():
                trajectories = await self._play(request.tasks, request.prompt, progress)
                return lambda loop, answer: loop.played(request, answer), trajectories
            case Reflect():
                reflection = await self._reflect(request, plan)
                progress.turns_done += 1
                return lambda loop, answer: loop.reflected(request, answer), reflection
            case Score():
                outcomes = await self._score(request, progress)
                return lambda loop, answer: loop.scored(request, answer), outcomes

    async def _play(self, tasks: Sequence[Task], prompt: str, progress: FamilyProgress) -> list[Any]:
        async def one(task: Task) -> Any:
            trajectory = await self.ledger.trajectory(self._spec(task, prompt), Priority.EXPERIENCE)
            _count(progress, trajectory.solved)
            return trajectory

        return await _all(one, tasks)

    async def _score(self, request: Score, progress: FamilyProgress) -> list[bool]:
        async def one(task: Task) -> bool:
            summary = await self.ledger.summary(self._spec(task, request.prompt), POOL_PRIORITY[request.pool])
            _count(progress, summary.solved)
            return summary.solved

        return await _all(one, request.tasks)

    async def _reflect(self, request: Reflect, plan: LoopPlan) -> Reflection:
        known = self.journal.reflection(plan.family, plan.index, request.turn)
        if known is not None:
            return known
        seed = reflection_seed(self.plan.suite.digest, plan.family, plan.index, request.turn)
        clock = time.monotonic()
        context = Context(seed, plan.prompt_bytes)

        async def reflect() -> Reflection:
            try:
                return await self.reflector.reflect(request.prompt, request.trajectories, request.state, context)
            except ModelFailure as error:
                usage = error.usage or Usage(calls=1, cost=None)
                return Reflection(prompt=None, failure=error.kind, state=request.state, usage=usage)

        what = f"reflection {plan.family} loop {plan.index} turn {request.turn}"
        reflection = await self.ledger.guarded(what, reflect)
        if not isinstance(reflection, Reflection):
            label = self.plan.reflector.label
            raise PluginError(f"reflector {label} answered {reflection!r:.80}, which is no Reflection")
        self.journal.add_reflection(plan.family, plan.index, request.turn, reflection, time.monotonic() - clock)
        return reflection

    def _spec(self, task: Task, prompt: str) -> EpisodeSpec:
        return EpisodeSpec(
            task=task,
            prompt=prompt,
            actor=self.plan.actor,
            max_steps=self.plan.max_steps,
            seed=sampling_seed(self.plan.suite.digest, task.id),
            time_limit=self.plan.episode_time_limit,
        )


def _count(progress: FamilyProgress, solved: bool) -> None:
    progress.episodes_done += 1
    progress.solved += solved


async def _all(one: Callable[[Task], Any], tasks: Sequence[Task]) -> list[Any]:
    """All answers, in the order of the tasks. Each is waited for even if another is owed."""
    answers = await asyncio.gather(*map(one, tasks), return_exceptions=True)
    errors = [answer for answer in answers if isinstance(answer, BaseException)]
    for error in sorted(errors, key=lambda error: isinstance(error, InfrastructureError)):
        raise error
    return answers

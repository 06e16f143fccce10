"""The same run one thing at a time, its batches in lockstep: what the engine is measured against.

Requests of the protocol are carried out in order. A batch begins with an environment for each of its episodes; all
wait at every decision until the last answer is there.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

from ictbench import Context
from ictbench.models import ChatModel
from ictbench.protocol import Loop, Play, Reflect, Score, reflection_seed, sampling_seed
from ictbench.records import EpisodeSpec
from ictbench.rollout import EpisodeWorker

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ictbench import Episode, Reflector, Task
    from ictbench.models import Completion, Constraint, Message, ModelPool
    from ictbench.protocol import LoopPlan, Request
    from ictbench.records import ModelSpec
    from ictbench.runs.plan import RunPlan


class Lockstep(ChatModel):
    """Sends no request before every episode of the batch has one, and answers none before all are answered."""

    def __init__(self, model: ChatModel) -> None:
        super().__init__(model.spec)
        self._model = model
        self.alive = 0
        self._asked: list[tuple[Sequence[Message], int | None, asyncio.Future[Completion]]] = []

    async def complete(
        self, messages: Sequence[Message], *, seed: int | None = None, constraint: Constraint | None = None
    ) -> Completion:
        """Wait for the others."""
        answer: asyncio.Future[Completion] = asyncio.get_running_loop().create_future()
        self._asked.append((messages, seed, answer))
        self.step()
        return await answer

    def step(self) -> None:
        """Go on if everybody is there."""
        if self._asked and len(self._asked) == self.alive:
            asked, self._asked = self._asked, []
            self._going = asyncio.ensure_future(self._send(asked))

    async def _send(self, asked: list[tuple[Sequence[Message], int | None, asyncio.Future[Completion]]]) -> None:
        replies = await asyncio.gather(*(self._model.complete(messages, seed=seed) for messages, seed, _ in asked))
        for (_, _, answer), reply in zip(asked, replies, strict=True):
            answer.set_result(reply)

    @property
    def fingerprint(self) -> str | None:
        """The model's."""
        return self._model.fingerprint

    async def aclose(self) -> None:
        """The pool closes the model."""


class LockstepRun:
    """Carries loops out, one request after the other."""

    def __init__(self, plan: RunPlan, reflector: Reflector, models: ModelPool) -> None:
        assert plan.actor.model is not None
        self._plan = plan
        self._reflector = reflector
        self._model = Lockstep(models.open(plan.actor.model))
        self._worker = EpisodeWorker(self)

    def open(self, spec: ModelSpec) -> ChatModel:
        """The worker's only model."""
        return self._model

    async def loop(self, plan: LoopPlan) -> None:
        """One loop, to its end."""
        loop = Loop(plan)
        requests: deque[Request] = deque(loop.start())
        while requests:
            requests.extend(await self._answer(loop, plan, requests.popleft()))

    async def aclose(self) -> None:
        """Close environments."""
        await self._worker.aclose()

    async def _answer(self, loop: Loop, plan: LoopPlan, request: Request) -> tuple[Request, ...]:
        match request:
            case Play():
                batch = await self._batch(request.tasks, request.prompt)
                return loop.played(request, [episode.trajectory for episode in batch])
            case Reflect():
                seed = reflection_seed(self._plan.suite.digest, plan.family, plan.index, request.turn)
                context = Context(seed, plan.prompt_bytes)
                return loop.reflected(
                    request,
                    await self._reflector.reflect(request.prompt, request.trajectories, request.state, context),
                )
            case Score():
                batch = await self._batch(request.tasks, request.prompt)
                return loop.scored(request, [episode.trajectory.solved for episode in batch])
            case _:
                raise NotImplementedError(request)

    async def _batch(self, tasks: Sequence[Task], prompt: str) -> list[Episode]:
        self._model.alive = len(tasks)
        return await asyncio.gather(*(self._play(task, prompt) for task in tasks))

    async def _play(self, task: Task, prompt: str) -> Episode:
        plan = self._plan
        seed = sampling_seed(plan.suite.digest, task.id)
        spec = EpisodeSpec(task=task, prompt=prompt, actor=plan.actor, max_steps=plan.max_steps, seed=seed)
        try:
            return await self._worker.play(spec)
        finally:
            self._model.alive -= 1
            self._model.step()

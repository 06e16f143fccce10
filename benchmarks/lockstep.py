"""Baseline for the engine: the same run with sequential requests and batches in lockstep.

Requests of the protocol are carried out in order. Each episode of a batch has its own environment. At every decision,
all episodes wait for the slowest reply.
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


class LockstepModel(ChatModel):
    """Waits for a request from every running episode, then sends all and waits for all replies."""

    def __init__(self, model: ChatModel) -> None:
        super().__init__(model.spec)
        self._model = model
        self.running = 0
        self._pending: list[tuple[Sequence[Message], int | None, asyncio.Future[Completion]]] = []

    async def complete(
        self, messages: Sequence[Message], *, seed: int | None = None, constraint: Constraint | None = None
    ) -> Completion:
        """Return the reply once all episodes have theirs."""
        answer: asyncio.Future[Completion] = asyncio.get_running_loop().create_future()
        self._pending.append((messages, seed, answer))
        self.step()
        return await answer

    def step(self) -> None:
        """Send the batch if every running episode has a request."""
        if self._pending and len(self._pending) == self.running:
            batch, self._pending = self._pending, []
            self._sending = asyncio.ensure_future(self._send(batch))

    async def _send(self, batch: list[tuple[Sequence[Message], int | None, asyncio.Future[Completion]]]) -> None:
        replies = await asyncio.gather(*(self._model.complete(messages, seed=seed) for messages, seed, _ in batch))
        for (_, _, answer), reply in zip(batch, replies, strict=True):
            answer.set_result(reply)

    @property
    def fingerprint(self) -> str | None:
        """Fingerprint of the model."""
        return self._model.fingerprint

    async def aclose(self) -> None:
        """Do nothing: the pool closes the model."""


class LockstepRun:
    """Carries out the requests of loops one after the other."""

    def __init__(self, plan: RunPlan, reflector: Reflector, models: ModelPool) -> None:
        assert plan.actor.model is not None
        self._plan = plan
        self._reflector = reflector
        self._model = LockstepModel(models.open(plan.actor.model))
        self._worker = EpisodeWorker(self)

    def open(self, spec: ModelSpec) -> ChatModel:
        """Return the only model of the worker."""
        return self._model

    async def loop(self, plan: LoopPlan) -> None:
        """Run one loop to its end."""
        loop = Loop(plan)
        requests: deque[Request] = deque(loop.start())
        while requests:
            requests.extend(await self._answer(loop, plan, requests.popleft()))

    async def aclose(self) -> None:
        """Close the environments."""
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
        self._model.running = len(tasks)
        return await asyncio.gather(*(self._play(task, prompt) for task in tasks))

    async def _play(self, task: Task, prompt: str) -> Episode:
        plan = self._plan
        seed = sampling_seed(plan.suite.digest, task.id)
        spec = EpisodeSpec(task=task, prompt=prompt, actor=plan.actor, max_steps=plan.max_steps, seed=seed)
        try:
            return await self._worker.play(spec)
        finally:
            self._model.running -= 1
            self._model.step()

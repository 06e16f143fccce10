"""Actors and reflectors that each violate their contract in one way, and one of each that keeps it."""

from __future__ import annotations

import asyncio
import os
import random
from typing import TYPE_CHECKING, Any

from ictbench import Actor, Context, Decision, History, IctbenchError, Reflection, Reflector, Trajectory
from ictbench.records import Usage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import JsonValue


class Correct(Actor):
    async def act(self, prompt: str, history: History, seed: int) -> Decision:
        return Decision(action=random.Random(f"{seed}:{len(history.steps)}").choice(history.actions))


class Unseeded(Actor):
    async def act(self, prompt: str, history: History, seed: int) -> Decision:
        return Decision(action="wait", thought=str(random.random()))


class CountsCalls(Actor):
    calls = 0

    async def act(self, prompt: str, history: History, seed: int) -> Decision:
        self.calls += 1
        return Decision(action="wait", thought=str(self.calls))


class InstanceState(Actor):
    """Keeps the observation in the instance while it waits."""

    async def act(self, prompt: str, history: History, seed: int) -> Decision:
        self.last_observation = history.observation
        await asyncio.sleep(0)
        return Decision(action="wait", thought=self.last_observation)


class HashDependent(Actor):
    async def act(self, prompt: str, history: History, seed: int) -> Decision:
        return Decision(action="wait", thought=str(hash(history.observation)))


class ModifiesHistory(Actor):
    async def act(self, prompt: str, history: History, seed: int) -> Decision:
        history.steps.clear()  # type: ignore[attr-defined]
        return Decision(action="wait")


class ActorWithWrongTrainedOn(Correct):
    trained_on = "minihack-v1"  # type: ignore[assignment]


class ReturnsText(Actor):
    async def act(self, prompt: str, history: History, seed: int) -> Any:
        return "wait"


class FailsOnEmptyObservation(Actor):
    async def act(self, prompt: str, history: History, seed: int) -> Decision:
        return Decision(action="wait", thought=history.observation.splitlines()[0])


class AcceptsAnyOption(Actor):
    def __init__(self, model: Any = None, **options: Any) -> None:
        super().__init__(model)

    async def act(self, prompt: str, history: History, seed: int) -> Decision:
        return Decision(action="wait")


class DependsOnTheSeedThoughDeterministic(Correct):
    deterministic = True


class AwaitsThoughCpuBound(Correct):
    cpu_bound = True

    async def act(self, prompt: str, history: History, seed: int) -> Decision:
        await asyncio.sleep(0)
        return await super().act(prompt, history, seed)


class CountsUsageWithoutModel(Actor):
    async def act(self, prompt: str, history: History, seed: int) -> Decision:
        return Decision(action="wait", usage=Usage(calls=1))


class HidesModelFailure(Actor):
    needs_model = True

    async def act(self, prompt: str, history: History, seed: int) -> Decision:
        assert self.model is not None
        try:
            completion = await self.model.complete([{"role": "user", "content": "What now?"}], seed=seed)
        except IctbenchError:
            return Decision(action="wait")
        return Decision(action=completion.text)


class CorrectReflector(Reflector):
    """Adds one line per turn and counts the turns in its state."""

    def turn(self, state: JsonValue) -> int:
        return int(str(state or 0)) + 1

    def write(self, prompt: str, trajectories: Sequence[Trajectory], turn: int, context: Context) -> Any:
        longer = f"{prompt}\nTurn {turn}."
        if len(longer.encode()) > context.prompt_cap:
            return Reflection(prompt=None, failure="too_long", state=turn)
        return Reflection(prompt=longer, state=turn)

    async def reflect(
        self, prompt: str, trajectories: Sequence[Trajectory], state: JsonValue, context: Context
    ) -> Reflection:
        reflection: Reflection = self.write(prompt, trajectories, self.turn(state), context)
        return reflection


class IgnoresPromptCap(CorrectReflector):
    def write(self, prompt: str, trajectories: Sequence[Trajectory], turn: int, context: Context) -> Any:
        return Reflection(prompt=f"{prompt}\nTurn {turn}.", state=turn)


class UnseededReflector(CorrectReflector):
    def turn(self, state: JsonValue) -> int:
        return random.randrange(1_000_000)


class CountsTurnsInInstance(CorrectReflector):
    turns = 0

    def turn(self, state: JsonValue) -> int:
        self.turns += 1
        return self.turns


class LeaksBetweenLoops(CorrectReflector):
    """Counts in the state, but also keeps the last turn of any loop in the instance."""

    last = 0

    def turn(self, state: JsonValue) -> int:
        turn = super().turn(state) if state is not None else self.last + 1
        self.last = max(self.last, turn) if turn > 3 else 0
        return turn


class ProcessDependent(CorrectReflector):
    def turn(self, state: JsonValue) -> int:
        return super().turn(state) + os.getpid()


class NotAsync(CorrectReflector):
    def reflect(  # type: ignore[override]
        self, prompt: str, trajectories: Sequence[Trajectory], state: JsonValue, context: Context
    ) -> Reflection:
        return Reflection(prompt=prompt)


class FailsOnEmptyBatch(CorrectReflector):
    def write(self, prompt: str, trajectories: Sequence[Trajectory], turn: int, context: Context) -> Any:
        return Reflection(prompt=trajectories[0].last_observation)


class NeitherPromptNorFailure(CorrectReflector):
    def write(self, prompt: str, trajectories: Sequence[Trajectory], turn: int, context: Context) -> Any:
        return Reflection(prompt=None)


class BlankPrompt(CorrectReflector):
    def write(self, prompt: str, trajectories: Sequence[Trajectory], turn: int, context: Context) -> Any:
        return Reflection(prompt=" \n")


class ReturnsPrompt(CorrectReflector):
    def write(self, prompt: str, trajectories: Sequence[Trajectory], turn: int, context: Context) -> Any:
        return prompt


class InfiniteState(CorrectReflector):
    def write(self, prompt: str, trajectories: Sequence[Trajectory], turn: int, context: Context) -> Any:
        return Reflection(prompt=prompt, state=float("inf"))


class ModifiesState(CorrectReflector):
    async def reflect(
        self, prompt: str, trajectories: Sequence[Trajectory], state: JsonValue, context: Context
    ) -> Reflection:
        lines = state if isinstance(state, list) else []
        lines.append(len(trajectories))
        return Reflection(prompt=prompt, state=lines)


class WrongTrainedOn(CorrectReflector):
    trained_on = "minihack-v1"  # type: ignore[assignment]


class HidesOutage(CorrectReflector):
    needs_model = True

    async def reflect(
        self, prompt: str, trajectories: Sequence[Trajectory], state: JsonValue, context: Context
    ) -> Reflection:
        assert self.model is not None
        try:
            completion = await self.model.complete([{"role": "user", "content": prompt}], seed=context.seed)
        except IctbenchError:
            return Reflection(prompt=None, failure="empty", state=state)
        return Reflection(prompt=completion.text[: context.prompt_cap], state=state)

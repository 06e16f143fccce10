"""Actors and reflectors that each break their contract in one way. Found by other processes where this folder is on
the module path.
"""

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


class Steady(Actor):
    async def act(self, prompt: str, history: History, seed: int) -> Decision:
        return Decision(action=random.Random(f"{seed}:{len(history.steps)}").choice(history.actions))


class Moody(Actor):
    async def act(self, prompt: str, history: History, seed: int) -> Decision:
        return Decision(action="wait", thought=str(random.random()))


class Remembering(Actor):
    """Counts its own calls."""

    calls = 0

    async def act(self, prompt: str, history: History, seed: int) -> Decision:
        self.calls += 1
        return Decision(action="wait", thought=str(self.calls))


class Mixed(Actor):
    """What it thinks about lies in the instance while it waits."""

    async def act(self, prompt: str, history: History, seed: int) -> Decision:
        self.seen = history.observation
        await asyncio.sleep(0)
        return Decision(action="wait", thought=self.seen)


class HashedActor(Actor):
    async def act(self, prompt: str, history: History, seed: int) -> Decision:
        return Decision(action="wait", thought=str(hash(history.observation)))


class Vandal(Actor):
    async def act(self, prompt: str, history: History, seed: int) -> Decision:
        history.steps.clear()  # type: ignore[attr-defined]
        return Decision(action="wait")


class Talker(Actor):
    async def act(self, prompt: str, history: History, seed: int) -> Any:
        return "wait"


class Frail(Actor):
    """Has never seen an empty observation."""

    async def act(self, prompt: str, history: History, seed: int) -> Decision:
        return Decision(action="wait", thought=history.observation.splitlines()[0])


class Lax(Actor):
    def __init__(self, model: Any = None, **options: Any) -> None:
        super().__init__(model)

    async def act(self, prompt: str, history: History, seed: int) -> Decision:
        return Decision(action="wait")


class Waiting(Steady):
    cpu_bound = True

    async def act(self, prompt: str, history: History, seed: int) -> Decision:
        await asyncio.sleep(0)
        return await super().act(prompt, history, seed)


class Costly(Actor):
    async def act(self, prompt: str, history: History, seed: int) -> Decision:
        return Decision(action="wait", usage=Usage(calls=1))


class Swallowing(Actor):
    """Plays on when its model fails."""

    needs_model = True

    async def act(self, prompt: str, history: History, seed: int) -> Decision:
        assert self.model is not None
        try:
            found = await self.model.complete([{"role": "user", "content": "What now?"}], seed=seed)
        except IctbenchError:
            return Decision(action="wait")
        return Decision(action=found.text)


class Growing(Reflector):
    """Keeps the contract: one line a turn, counted in its state."""

    def turn(self, state: JsonValue) -> int:
        return int(str(state or 0)) + 1

    def write(self, prompt: str, trajectories: Sequence[Trajectory], turn: int, context: Context) -> Any:
        written = f"{prompt}\nTurn {turn}."
        if len(written.encode()) > context.prompt_cap:
            return Reflection(prompt=None, failure="too_long", state=turn)
        return Reflection(prompt=written, state=turn)

    async def reflect(
        self, prompt: str, trajectories: Sequence[Trajectory], state: JsonValue, context: Context
    ) -> Reflection:
        found: Reflection = self.write(prompt, trajectories, self.turn(state), context)
        return found


class Boundless(Growing):
    def write(self, prompt: str, trajectories: Sequence[Trajectory], turn: int, context: Context) -> Any:
        return Reflection(prompt=f"{prompt}\nTurn {turn}.", state=turn)


class Guessing(Growing):
    def turn(self, state: JsonValue) -> int:
        return random.randrange(1_000_000)


class Forgetful(Growing):
    """Remembers in the instance."""

    turns = 0

    def turn(self, state: JsonValue) -> int:
        self.turns += 1
        return self.turns


class Leaking(Growing):
    """Remembers in the state, and in the instance what the last loop did."""

    last = 0

    def turn(self, state: JsonValue) -> int:
        turn = super().turn(state) if state is not None else self.last + 1
        self.last = max(self.last, turn) if turn > 3 else 0
        return turn


class Local(Growing):
    """Depends on the process."""

    def turn(self, state: JsonValue) -> int:
        return super().turn(state) + os.getpid()


class Needy(Growing):
    def write(self, prompt: str, trajectories: Sequence[Trajectory], turn: int, context: Context) -> Any:
        return Reflection(prompt=trajectories[0].last_observation)


class Mum(Growing):
    def write(self, prompt: str, trajectories: Sequence[Trajectory], turn: int, context: Context) -> Any:
        return Reflection(prompt=None)


class Blank(Growing):
    def write(self, prompt: str, trajectories: Sequence[Trajectory], turn: int, context: Context) -> Any:
        return Reflection(prompt=" \n")


class Wordy(Growing):
    def write(self, prompt: str, trajectories: Sequence[Trajectory], turn: int, context: Context) -> Any:
        return prompt


class Infinite(Growing):
    def write(self, prompt: str, trajectories: Sequence[Trajectory], turn: int, context: Context) -> Any:
        return Reflection(prompt=prompt, state=float("inf"))


class InPlace(Growing):
    async def reflect(
        self, prompt: str, trajectories: Sequence[Trajectory], state: JsonValue, context: Context
    ) -> Reflection:
        lines = state if isinstance(state, list) else []
        lines.append(len(trajectories))
        return Reflection(prompt=prompt, state=lines)


class Overtrained(Growing):
    trained_on = "minihack-v1"  # type: ignore[assignment]


class Deaf(Growing):
    """Takes an outage for a reply."""

    needs_model = True

    async def reflect(
        self, prompt: str, trajectories: Sequence[Trajectory], state: JsonValue, context: Context
    ) -> Reflection:
        assert self.model is not None
        try:
            found = await self.model.complete([{"role": "user", "content": prompt}], seed=context.seed)
        except IctbenchError:
            return Reflection(prompt=None, failure="empty", state=state)
        return Reflection(prompt=found.text[: context.prompt_cap], state=state)

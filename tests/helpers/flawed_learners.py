"""A learner with a memory that keeps the contract, and others that each violate it in one way."""

from __future__ import annotations

import itertools
import threading
import time
from typing import TYPE_CHECKING, Any, ClassVar

from ictbench import Context, Reflection, Reflector, Trajectory
from ictbench.records import ADDED_BYTES, MEMORY_BYTES, MEMORY_VALUES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import JsonValue

    from ictbench.records import Division


class Remembers(Reflector):
    """Keeps the number of each turn in its memory, and recalls the numbers."""

    division: ClassVar[Division] = "memory"

    def keep(self, memory: JsonValue, turn: int) -> Any:
        turns = memory["turns"] if isinstance(memory, dict) else []
        assert isinstance(turns, list)
        return {"turns": [*turns, turn]}

    async def reflect(
        self, prompt: str, trajectories: Sequence[Trajectory], state: JsonValue, context: Context
    ) -> Reflection:
        return Reflection(prompt=prompt, state=context.turn, memory=self.keep(context.memory.value, context.turn))

    def recall(self, memory: JsonValue, observation: str, actions: tuple[str, ...]) -> Any:
        assert isinstance(memory, dict)
        return f"Turns {memory['turns']} of {actions[0]!r}."


class TooMuch(Remembers):
    def keep(self, memory: JsonValue, turn: int) -> Any:
        return "é" * (MEMORY_BYTES // 2)


class NotANumber(Remembers):
    def keep(self, memory: JsonValue, turn: int) -> Any:
        return {"score": float("nan")}


class Deep(Remembers):
    def keep(self, memory: JsonValue, turn: int) -> Any:
        value: Any = turn
        for _ in range(220):
            value = [value]
        return value


class Nested(Remembers):
    def keep(self, memory: JsonValue, turn: int) -> Any:
        value: Any = turn
        for _ in range(30):
            value = [value]
        return value


class ManyValues(Remembers):
    def keep(self, memory: JsonValue, turn: int) -> Any:
        return [0] * (MEMORY_VALUES + 2)


class LargeNumber(Remembers):
    def keep(self, memory: JsonValue, turn: int) -> Any:
        return {"turn": 10**16}


class Tuple(Remembers):
    def keep(self, memory: JsonValue, turn: int) -> Any:
        return {"turns": (turn,)}


class NumberAsKey(Remembers):
    def keep(self, memory: JsonValue, turn: int) -> Any:
        return {turn: "turn"}


class NoDivision(Remembers):
    division = "reflector"
    recall = Reflector.recall


class OddState(Remembers):
    async def reflect(self, *arguments: Any) -> Reflection:
        return (await super().reflect(*arguments)).model_copy(update={"state": {1: "turn"}})


class CountsRecalls(Remembers):
    calls = 0

    def recall(self, memory: JsonValue, observation: str, actions: tuple[str, ...]) -> Any:
        self.calls += 1
        return f"Recalled {self.calls} times."


class ChangesMemory(Remembers):
    def recall(self, memory: JsonValue, observation: str, actions: tuple[str, ...]) -> Any:
        assert isinstance(memory, dict)
        memory["seen"] = observation
        return "Seen."


class Long(Remembers):
    def recall(self, memory: JsonValue, observation: str, actions: tuple[str, ...]) -> Any:
        return "é" * (ADDED_BYTES // 2) + "!"


class NoText(Remembers):
    def recall(self, memory: JsonValue, observation: str, actions: tuple[str, ...]) -> Any:
        return None


class Surrogate(Remembers):
    def recall(self, memory: JsonValue, observation: str, actions: tuple[str, ...]) -> Any:
        return "\ud800"


class Fails(Remembers):
    def recall(self, memory: JsonValue, observation: str, actions: tuple[str, ...]) -> Any:
        assert isinstance(memory, dict)
        return memory["insights"][0]  # type: ignore[index]


class Slow(Remembers):
    def recall(self, memory: JsonValue, observation: str, actions: tuple[str, ...]) -> Any:
        time.sleep(0.3)
        return "Slow."


class Endless(Remembers):
    released = threading.Event()
    """Set by tests, so that no thread outlives them."""

    def recall(self, memory: JsonValue, observation: str, actions: tuple[str, ...]) -> Any:
        for _ in itertools.count():
            if self.released.wait(0.01):
                break
        return ""


class NoRecall(Reflector):
    division = "memory"

    async def reflect(
        self, prompt: str, trajectories: Sequence[Trajectory], state: JsonValue, context: Context
    ) -> Reflection:
        return Reflection(prompt=prompt, memory=[])


class ForgotDivision(Remembers):
    division = "reflector"


class UnknownDivision(Remembers):
    division = "memories"  # type: ignore[assignment]


class Halved(Remembers):
    experience = "halved"
    control = "it plays again"


class Unsettled(Remembers):
    """Returns a memory on turn 1 only, and fails on turn 2; the memory stays."""

    async def reflect(
        self, prompt: str, trajectories: Sequence[Trajectory], state: JsonValue, context: Context
    ) -> Reflection:
        if context.turn == 2:
            return Reflection(prompt=None, failure="unparseable", memory={"turns": ["dropped"]})
        if context.turn == 3:
            return Reflection(prompt=prompt)
        return await super().reflect(prompt, trajectories, state, context)


class LaterChanges(Remembers):
    """Changes the memories that it has returned, and the one that it was given, in later turns."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.returned: list[dict[str, Any]] = []

    async def reflect(
        self, prompt: str, trajectories: Sequence[Trajectory], state: JsonValue, context: Context
    ) -> Reflection:
        reflection = await super().reflect(prompt, trajectories, state, context)
        for memory in [*self.returned, context.memory.value]:
            if isinstance(memory, dict):
                memory["turns"].append("later")  # type: ignore[union-attr]
        assert isinstance(reflection.memory, dict)
        self.returned.append(reflection.memory)
        return reflection


class NoMemory(Remembers):
    def keep(self, memory: JsonValue, turn: int) -> Any:
        return None


class CountsInInstance(Remembers):
    turns = 0

    def keep(self, memory: JsonValue, turn: int) -> Any:
        self.turns += 1
        return {"turns": [self.turns]}


class HashDependent(Remembers):
    def recall(self, memory: JsonValue, observation: str, actions: tuple[str, ...]) -> Any:
        return f"{hash(actions)}"


class IgnoresRoom(Remembers):
    async def reflect(
        self, prompt: str, trajectories: Sequence[Trajectory], state: JsonValue, context: Context
    ) -> Reflection:
        return Reflection(prompt="x" * 7_000, memory={"turns": []})

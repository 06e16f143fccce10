"""A small environment that keeps the contract of `TextEnv`, and others that each violate it in one way."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, Any

from ictbench import Observation, Task, TextEnv

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class Cellar(TextEnv):
    """One of three doors leads out."""

    doors: tuple[str, ...] = ("open the red door", "open the blue door", "open the green door")

    def reset(self, task: Task) -> Observation:
        self.seed = int(str(task.params["seed"]))
        self.dice = random.Random(self.seed)
        self.exit = self.dice.choice(self.doors)
        self.tried = 0
        return self.look("You are in a cellar.")

    def step(self, action: str) -> Observation:
        self.tried += 1
        if action == self.exit:
            return self.look("Daylight.", reward=1.0, end="solved")
        return self.look(f"A wall behind it, number {self.dice.randrange(100)}.")

    def look(self, text: str, **fields: Any) -> Observation:
        return Observation(text=text, actions=self.doors, **fields)

    def close(self) -> None: ...

    def versions(self) -> dict[str, str]:
        return {"cellar": "1.0"}

    def solve(self) -> Sequence[str]:
        return (self.exit,)


class IgnoresSeed(Cellar):
    def reset(self, task: Task) -> Observation:
        return super().reset(task.model_copy(update={"params": {"seed": 0}}))


class NumberAsStartKey(Cellar):
    @classmethod
    def start_key(cls, first: Observation) -> Any:
        return 70001


class UnsteadyStartKey(Cellar):
    asked = 0

    @classmethod
    def start_key(cls, first: Observation) -> str:
        cls.asked += 1
        return f"start {cls.asked}"


class NumberAsContentKey(Cellar):
    def content_key(self) -> Any:
        return self.seed


class UnsteadyContentKey(Cellar):
    def content_key(self) -> str:
        return f"{self.exit} {time.perf_counter_ns()}"


class Unseeded(Cellar):
    def step(self, action: str) -> Observation:
        self.dice = random.Random(time.perf_counter_ns())
        return super().step(action)


class RemembersEpisodes(Cellar):
    episodes = 0

    def reset(self, task: Task) -> Observation:
        self.episodes += 1
        observation = super().reset(task)
        return observation if self.episodes == 1 else self.look("You are in a cellar again.")


class ClassState(Cellar):
    """Keeps its state in the class."""

    opened: list[str] = []  # noqa: RUF012 - this is the flaw

    def reset(self, task: Task) -> Observation:
        self.opened.clear()
        return super().reset(task)

    def step(self, action: str) -> Observation:
        self.opened.append(action)
        observation = super().step(action)
        return observation if observation.end else self.look(f"You opened {len(self.opened)}.")


class HashDependent(Cellar):
    def step(self, action: str) -> Observation:
        observation = super().step(action)
        return observation if observation.end else self.look(f"Number {hash(action)}.")


class RejectsOfferedAction(Cellar):
    """Offers an action that it cannot execute."""

    def step(self, action: str) -> Observation:
        if action == self.doors[2]:
            raise KeyError(action)
        return super().step(action)


class SameActionTwice(Cellar):
    doors = ("open the door", "Open the Door")


class UntrimmedAction(Cellar):
    doors = ("open  the door ", "wait")


class ShowsTaskId(Cellar):
    def reset(self, task: Task) -> Observation:
        super().reset(task)
        return self.look(f"Welcome to {task.id}.")


class NoActions(Cellar):
    """Continues without an available action."""

    def step(self, action: str) -> Observation:
        return self.look("Darkness.").model_copy(update={"actions": ()})


class WrongSolution(Cellar):
    """Its solver returns wrong actions."""

    def solve(self) -> Sequence[str]:
        return ("open the red door", "open the red door") if self.exit != "open the red door" else self.doors[1:]


class NanReward(Cellar):
    def step(self, action: str) -> Observation:
        return super().step(action).model_copy(update={"reward": float("nan")})


class ProgressAtTheEndOnly(Cellar):
    def step(self, action: str) -> Observation:
        observation = super().step(action)
        return observation.model_copy(update={"progress": 1.0 if observation.end else 0.5})


class SolvedWithoutProgress(Cellar):
    def look(self, text: str, **fields: Any) -> Observation:
        return super().look(text, progress=0.75, **fields)


class NoObservation(Cellar):
    def step(self, action: str) -> Any:
        super().step(action)


class NoText(Cellar):
    def reset(self, task: Task) -> Observation:
        super().reset(task)
        return self.look(" \n")


class NoCloseEnv(TextEnv):
    """Lacks a method of the contract."""

    def reset(self, task: Task) -> Observation:
        return Observation(text="A cellar.", actions=("wait",))

    def step(self, action: str) -> Observation:
        return Observation(text="A cellar.", actions=("wait",))

    def versions(self) -> dict[str, str]:
        return {"cellar": "1.0"}


class NoVersions(Cellar):
    def versions(self) -> dict[str, str]:
        return {}


class CannotCloseUnused(Cellar):
    def close(self) -> None:
        del self.dice


class Unplayable(Cellar):
    @classmethod
    def unplayable(cls, tasks: Iterable[Task]) -> str | None:
        return "the cellar is flooded; pump it out"


class ResetOnce(Cellar):
    """Resets correctly only once."""

    resets = 0

    def reset(self, task: Task) -> Observation:
        if self.resets:
            return self.look(f"You were here {self.resets} times.")
        self.resets += 1
        return super().reset(task)


class MainThreadOnly(Cellar):
    """Works in the main thread only."""

    def step(self, action: str) -> Observation:
        import threading

        if threading.current_thread() is not threading.main_thread():
            raise RuntimeError("signal only works in main thread")
        return super().step(action)

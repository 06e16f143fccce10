"""A small environment that keeps its contract, and others that each break it in one way.

Found by other processes where this folder is on the module path.
"""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, Any

from ictbench import Observation, Task, TextEnv

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class Cellar(TextEnv):
    """Behind one of three doors is the way out."""

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

    def look(self, text: str, **more: Any) -> Observation:
        return Observation(text=text, actions=self.doors, **more)

    def close(self) -> None: ...

    def versions(self) -> dict[str, str]:
        return {"cellar": "1.0"}

    def solve(self) -> Sequence[str]:
        return (self.exit,)


class Seedless(Cellar):
    def reset(self, task: Task) -> Observation:
        return super().reset(task.model_copy(update={"params": {"seed": 0}}))


class Chancy(Cellar):
    def step(self, action: str) -> Observation:
        self.dice = random.Random(time.perf_counter_ns())
        return super().step(action)


class Leftover(Cellar):
    episodes = 0

    def reset(self, task: Task) -> Observation:
        self.episodes += 1
        seen = super().reset(task)
        return seen if self.episodes == 1 else self.look("You are in a cellar again.")


class Shared(Cellar):
    """Where it stands is kept in the class."""

    opened: list[str] = []  # noqa: RUF012 - that is the flaw

    def reset(self, task: Task) -> Observation:
        self.opened.clear()
        return super().reset(task)

    def step(self, action: str) -> Observation:
        self.opened.append(action)
        seen = super().step(action)
        return seen if seen.end else self.look(f"You opened {len(self.opened)}.")


class Hashed(Cellar):
    def step(self, action: str) -> Observation:
        seen = super().step(action)
        return seen if seen.end else self.look(f"Number {hash(action)}.")


class Unfit(Cellar):
    """Offers what it cannot carry out."""

    def step(self, action: str) -> Observation:
        if action == self.doors[2]:
            raise KeyError(action)
        return super().step(action)


class Alike(Cellar):
    doors = ("open the door", "Open the Door")


class Ragged(Cellar):
    doors = ("open  the door ", "wait")


class Telltale(Cellar):
    def reset(self, task: Task) -> Observation:
        super().reset(task)
        return self.look(f"Welcome to {task.id}.")


class Silent(Cellar):
    """Goes on and offers nothing."""

    def step(self, action: str) -> Observation:
        return self.look("Darkness.").model_copy(update={"actions": ()})


class Unending(Cellar):
    """Its solver knows nothing."""

    def solve(self) -> Sequence[str]:
        return ("open the red door", "open the red door") if self.exit != "open the red door" else self.doors[1:]


class Priceless(Cellar):
    def step(self, action: str) -> Observation:
        return super().step(action).model_copy(update={"reward": float("nan")})


class Mute(Cellar):
    def step(self, action: str) -> Any:
        super().step(action)


class Versionless(Cellar):
    def versions(self) -> dict[str, str]:
        return {}


class Grudging(Cellar):
    def close(self) -> None:
        del self.dice


class Absent(Cellar):
    @classmethod
    def unplayable(cls, tasks: Iterable[Task]) -> str | None:
        return "the cellar is flooded; come back in summer"


class Single(Cellar):
    """Can be started once."""

    seen = 0

    def reset(self, task: Task) -> Observation:
        if self.seen:
            return self.look(f"You were here {self.seen} times.")
        self.seen += 1
        return super().reset(task)


class ThreadBound(Cellar):
    """Works in the main thread only."""

    def step(self, action: str) -> Observation:
        import threading

        if threading.current_thread() is not threading.main_thread():
            raise RuntimeError("signal only works in main thread")
        return super().step(action)

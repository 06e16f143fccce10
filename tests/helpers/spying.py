"""A learner that notes everything it is given, and a world whose secrets it must not learn."""

from __future__ import annotations

import hashlib
import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import yaml
from pydantic import BaseModel

import ictbench
from ictbench import Context, Observation, Reflection, Reflector, Task, TextEnv, Trajectory

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from pydantic import JsonValue

    from ictbench.records import Division
    from ictbench.reflectors.reflector import Experience

EXPERIENCE, SELECTION, TEST = 7_310_000, 7_420_000, 7_530_000
"""First seed of each pool."""

FAMILIES = ("granite", "marble")
PASSWORD = "xyzzy"


@dataclass
class World:
    """What happens in the vault, and what the learner was given."""

    scored: int = 0
    """Changes texts and outcomes of selection and test tasks."""
    ends: int = 0
    """Changes how episodes end, and nothing that is shown before."""


world = World()
given: list[Any] = []
"""Everything that the learner was given, one entry for each call, as leaves by their paths."""


class Vault(TextEnv):
    """Ends after two decisions, solved or not."""

    def reset(self, task: Task) -> Observation:
        self.seed = int(str(task.params["seed"]))
        self.tried = 0
        return self._look("start")

    def step(self, action: str) -> Observation:
        self.tried += 1
        if self.tried < 2:
            return self._look(action)
        solved = _dice(self.seed, world.ends, world.scored if self.seed >= SELECTION else 0) % 2
        return self._look(action, end="solved" if solved else "env_ended", reward=float(solved))

    def _look(self, what: str, **fields: Any) -> Observation:
        salt = world.scored if self.seed >= SELECTION else 0
        return Observation(text=f"{what} {_dice(self.seed, self.tried, salt)}", actions=("push", "pull"), **fields)

    def close(self) -> None: ...

    def versions(self) -> dict[str, str]:
        return {"vault": "1"}


def _dice(*numbers: int) -> int:
    return int(hashlib.sha256(repr(numbers).encode()).hexdigest()[:6], 16)


class Spy(Reflector):
    """Writes a prompt that depends on all it was given."""

    async def reflect(
        self, prompt: str, trajectories: Sequence[Trajectory], state: JsonValue, context: Context
    ) -> Reflection:
        seen = dict(leaves((prompt, tuple(trajectories), state, context, vars(self))))
        given.append(seen)
        summary = hashlib.sha256(repr(seen).encode()).hexdigest()[:8]
        return Reflection(prompt=f"Seen: {summary}.", state={"seen": summary}, **self.remembered(summary))

    def remembered(self, summary: str) -> dict[str, Any]:
        return {}


class SpyThatPlays(Spy):
    """Also plays as many episodes itself as it may, half of them under another prompt."""

    control: ClassVar[str] = "it plays again"
    experience: ClassVar[Experience] = "halved"

    async def reflect(
        self, prompt: str, trajectories: Sequence[Trajectory], state: JsonValue, context: Context
    ) -> Reflection:
        assert context.play is not None
        indices = range(context.play.left)
        played = [await context.play(f"{prompt} Or not." if index % 2 else prompt, [index]) for index in indices]
        return await super().reflect(prompt, [*trajectories, *itertools.chain(*played)], state, context)


class SpyThatOptimises(SpyThatPlays):
    """Plays all its experience itself."""

    control: ClassVar[str] = ""
    division: ClassVar[Division] = "optimiser"
    experience: ClassVar[Experience] = "pooled"


class SpyWithMemory(Spy):
    """Also notes what is recalled, in its instance."""

    division: ClassVar[Division] = "memory"

    def remembered(self, summary: str) -> dict[str, Any]:
        return {"memory": {"seen": summary}}

    def recall(self, memory: JsonValue, observation: str, actions: tuple[str, ...]) -> str:
        self.__dict__.setdefault("recalled", []).append(observation)
        return f"{memory} {observation}"


def leaves(value: object, path: str = "") -> Iterator[tuple[str, object]]:
    """Yield all that can be reached from a value: plain values and names of functions, by path."""
    if value is None or isinstance(value, str | int | float | bool | bytes):
        yield path, value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from leaves(name, f"{path}/key")
            yield from leaves(inner, f"{path}/{name}")
    elif isinstance(value, list | tuple | set | frozenset):
        for number, inner in enumerate(value):
            yield from leaves(inner, f"{path}/{number}")
    elif isinstance(value, BaseModel):
        yield from leaves({**value.__dict__, **(value.model_extra or {})}, path)
    elif callable(value) and not hasattr(value, "__self__") and hasattr(value, "__code__"):
        yield path, value.__name__  # type: ignore[attr-defined]
    else:
        names = {*getattr(value, "__dict__", ()), *(name for cls in type(value).__mro__ for name in _slots(cls))}
        yield path, type(value).__name__
        for name in sorted(names):
            yield from leaves(getattr(value, name), f"{path}.{name}")


def _slots(cls: type) -> tuple[str, ...]:
    slots = cls.__dict__.get("__slots__", ())
    return (slots,) if isinstance(slots, str) else tuple(slots)


def vault_suite(folder: Path) -> str:
    """Write the suite of the vault and return its path."""
    content = yaml.safe_load(ictbench.list_suites()["minihack-v1"].read_text(encoding="utf-8"))
    content |= {
        "name": "secret-vault-v1",
        "env": "spying:Vault",
        "prompt": "Try.",
        "families": {name: {"role": "held-out", "params": {"password": PASSWORD}} for name in FAMILIES},
        "pools": {
            "kind": "seeds",
            "experience": {"first": EXPERIENCE, "last": EXPERIENCE + 99},
            "selection": {"first": SELECTION, "last": SELECTION + 99, "block": 10},
            "test": {"first": TEST, "last": TEST + 99, "block": 10},
        },
    }
    path = folder / "secret-vault-v1.yaml"
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return str(path)

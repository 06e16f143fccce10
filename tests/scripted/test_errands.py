"""The scripted pair in a world of errands. Its words are invented, as the pair knows no game."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from ictbench.envs import TextEnv
from ictbench.protocol import sampling_seed
from ictbench.records import EpisodeSpec, Observation, PluginSpec, Task, Trajectory
from ictbench.reflectors.reflector import Context
from ictbench.rollout.episode import play_episode
from ictbench.scripted.miner import RulesReflector
from ictbench.scripted.policy import RulesActor

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic import JsonValue

T = TypeVar("T")

PROMPT = "You are in a mill.\nHurry."
PLACES = ("dask 1", "dask 2", *(f"shelf {number}" for number in range(1, 7)), "crib 1", "crib 2", "font 1", "loft 1")
THINGS = ("plim", "vump", "zorf", "quib")


class Mill(TextEnv):
    """World in which a thing is to be found and brought to a place, rinsed at the font if the task says so."""

    def reset(self, task: Task) -> Observation:
        rng = random.Random(f"mill {task.params['seed']}")
        self.thing, self.rinse = rng.choice(THINGS), bool(task.params["rinse"])
        self.at, self.held, self.rinsed = "", "", set[str]()
        self.where = {f"{thing} {number}": rng.choice(PLACES[2:]) for thing in THINGS for number in (1, 2)}
        wish = f"rinse a {self.thing} and have it on the dask" if self.rinse else f"have a {self.thing} on the dask"
        return self.look(f"Around you are {', a '.join(PLACES)}.\n\nYour wish is: {wish}.")

    def step(self, action: str) -> Observation:
        kind, *rest = action.split()
        thing = " ".join(rest[:2])
        if kind == "walk":
            self.at = " ".join(rest[1:])
        elif kind == "grab":
            self.held, self.where[thing] = thing, ""
        elif kind == "drop":
            self.held, self.where[thing] = "", self.at
        elif kind == "rinse":
            self.rinsed.add(thing)
        lies = [thing for thing, place in self.where.items() if place == self.at]
        done = any(
            place.startswith("dask") and thing.startswith(self.thing) and (thing in self.rinsed or not self.rinse)
            for thing, place in self.where.items()
        )
        return self.look(f"Here you see {', '.join(lies) or 'nothing'}.", solved=done)

    def look(self, text: str, *, solved: bool = False) -> Observation:
        actions = ["ponder", *(f"walk to {place}" for place in PLACES if place != self.at)]
        if self.held:
            actions += [f"drop {self.held} on {self.at}", f"eye {self.held}"]
            actions += [f"rinse {self.held} in {self.at}"] if self.at == "font 1" else []
        else:
            actions += [f"grab {thing} off {place}" for thing, place in self.where.items() if place == self.at]
        return Observation(text=text, actions=tuple(actions), reward=float(solved), end="solved" if solved else None)

    def close(self) -> None: ...

    def versions(self) -> dict[str, str]:
        return {}


def play(seed: int, prompt: str, *, rinse: bool) -> Trajectory:
    async def call(function: Callable[..., T], *args: Any) -> T:
        return function(*args)

    task = Task(id=f"mill-{seed}", family="mill", env="mill", params={"seed": seed, "rinse": rinse})
    actor = PluginSpec(label="rules", name="rules")
    spec = EpisodeSpec(task=task, prompt=prompt, actor=actor, max_steps=25, seed=sampling_seed("a suite", task.id))
    return asyncio.run(play_episode(spec, Mill(), RulesActor(), call)).trajectory


def success(prompt: str, *, rinse: bool) -> float:
    return sum(play(100_000 + seed, prompt, rinse=rinse).solved for seed in range(30)) / 30


BY_HAND = """
The line "Your wish is:" says what matters.
You hold something from "grab …" to "drop …".
If the line names "rinse", do "rinse … in …" before "drop …"; look for it by "walk to font …".
Choose "drop <named> on <named>".
Choose "grab <named> off <other>".
When you hold something, choose "walk to <named>".
When you hold nothing, choose "walk to …".
"""


@pytest.mark.parametrize("rinse", [False, True])
def test_rules_written_by_hand_are_obeyed(rinse: bool) -> None:
    assert success(PROMPT, rinse=rinse) < 0.2
    assert success(PROMPT + BY_HAND, rinse=rinse) == 1.0


@pytest.mark.parametrize("rinse", [False, True])
def test_the_pair_learns_errands(rinse: bool) -> None:
    prompt: str = PROMPT
    state: JsonValue = None
    for turn in range(8):
        batch = [play(3 * turn + number, prompt, rinse=rinse) for number in range(3)]
        reflection = asyncio.run(RulesReflector().reflect(prompt, batch, state, Context(seed=1, prompt_cap=8000)))
        assert reflection.prompt is not None
        prompt, state = reflection.prompt, reflection.state
    assert success(prompt, rinse=rinse) > 0.9

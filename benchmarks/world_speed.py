"""Speed and memory of the BabyAI and TextWorld environments beside the packages that they are made of.

    python benchmarks/world_speed.py                                 # both worlds: reset and steps, side by side
    python benchmarks/world_speed.py textworld --episodes 40
    python benchmarks/world_speed.py babyai --memory 1000            # this environment only, one episode after another

Both sides play the same tasks and actions in turn in one process: the solver's actions, at most 25. The bare package
starts from the same seed or game file and returns its own observations; TextWorld's hold the admissible commands and
the facts. Times are CPU seconds, which other work on the machine changes little. Replay decisions/s counts resets and
steps of whole episodes. Games are generated before. Needs ictbench[babyai,textworld].
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from contextlib import closing
from itertools import cycle, islice
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any, Protocol

from tabulate import tabulate

from ictbench import load_suite
from ictbench.plugins import resolve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ictbench import Task, TextEnv

DECISIONS = 25
SIDES = ("bare", "ictbench")


class Bare(Protocol):
    """The package itself."""

    def reset(self, task: Task) -> object:
        """Start a task."""

    def step(self, action: str) -> object:
        """Carry out an action of the environment."""


class BareBabyAI:
    """MiniGrid's environments, one per id."""

    def __init__(self) -> None:
        self._envs: dict[str, Any] = {}
        self._env: Any = None

    def reset(self, task: Task) -> object:
        """Build the level."""
        import gymnasium

        env_id = str(task.params["env_id"])
        if env_id not in self._envs:
            self._envs[env_id] = gymnasium.make(env_id, disable_env_checker=True).unwrapped
        self._env = self._envs[env_id]
        return self._env.reset(seed=task.params["seed"])

    def step(self, action: str) -> object:
        """Carry out an action."""
        from ictbench.envs.babyai.babyai_env import ACTIONS

        return self._env.step(ACTIONS.index(action))


class BareTextWorld:
    """TextWorld's interpreter on the same story file, written to a folder as a user has it."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="world-speed-")
        self._game: Any = None

    def prepare(self, task: Task) -> None:
        """Write the files of a game."""
        from ictbench.envs.textworld_games.game_store import load_game
        from ictbench.envs.textworld_games.settings import settings_of

        files = load_game(settings_of(task))
        story = self._story(task)
        story.write_bytes(files.story)
        story.with_suffix(".json").write_bytes(files.facts)

    def reset(self, task: Task) -> object:
        """Start the game."""
        import textworld

        if self._game is not None:
            self._game.close()
        shown = textworld.EnvInfos(admissible_commands=True, facts=True, score=True, won=True, lost=True)
        self._game = textworld.start(str(self._story(task)), shown)
        return self._game.reset()

    def step(self, action: str) -> object:
        """Give a command."""
        return self._game.step(action)

    def _story(self, task: Task) -> Path:
        return Path(self._folder.name, f"{task.id}.z8")


def main() -> None:
    """Parse the command line and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("worlds", nargs="*", default=["babyai", "textworld"], metavar="WORLD")
    parser.add_argument("--episodes", type=int, default=64, help="episodes of each world, over its families in turn")
    parser.add_argument("--memory", type=int, metavar="EPISODES")
    arguments = parser.parse_args()
    if unknown := {*arguments.worlds} - {"babyai", "textworld"}:
        parser.error(f"unknown world {', '.join(sorted(unknown))}; known: babyai, textworld")
    for world in arguments.worlds:
        if arguments.memory:
            memory(world, arguments.memory)
        else:
            speed(world, arguments.episodes)


def speed(world: str, episodes: int) -> None:
    """Play episodes on both sides in turn and print the mean CPU times."""
    bare: Bare = BareBabyAI() if world == "babyai" else BareTextWorld()
    with closing(resolve("env", world)()) as ours:
        plans = [(task, solution(ours, task)) for task in islice(tasks(world), episodes)]
        if isinstance(bare, BareTextWorld):
            for task, _ in plans:
                bare.prepare(task)
        times: dict[tuple[str, str], list[float]] = {}
        for number, (task, actions) in enumerate((*plans[:4], *plans)):
            for side, env in (("bare", bare), ("ictbench", ours)):
                took = {"reset": [cpu(env.reset, task)], "step": [cpu(env.step, action) for action in actions]}
                for operation, seconds in took.items() if number >= 4 else ():  # the first ones warm up
                    times.setdefault((side, operation), []).extend(seconds)
    decisions = len(times["bare", "step"])
    rows: list[tuple[str, int, float, float, float]] = []
    for operation in ("reset", "step"):
        theirs, own = (1e3 * fmean(times[side, operation]) for side in SIDES)
        rows.append((operation, len(times["bare", operation]), theirs, own, own / theirs))
    theirs, own = (decisions / sum(sum(times[side, name]) for name in ("reset", "step")) for side in SIDES)
    rows.append(("replay, decisions/s", decisions, theirs, own, theirs / own))
    print(f"{world}: {len(plans)} episodes; ms of CPU")
    print(tabulate(rows, ("", "number", "bare", "ictbench", "times slower"), floatfmt=".2f", tablefmt="github"), "\n")


def memory(world: str, episodes: int) -> None:
    """Print resident memory while one instance plays one episode after another."""
    with closing(resolve("env", world)()) as ours:
        prepared = [(task, solution(ours, task)) for task in islice(tasks(world), min(episodes, 16))]
        for number, (task, actions) in enumerate(islice(cycle(prepared), episodes), 1):
            ours.reset(task)
            for action in actions:
                ours.step(action)
            if number in (1, 100, episodes) or number % 250 == 0:
                print(f"{world}, after {number:5} episodes: {resident():6.1f} MB", flush=True)


def tasks(world: str) -> Iterator[Task]:
    """Yield test tasks of the first loop, families in turn."""
    suite = load_suite(f"{world}-v1")
    for seeds in zip(*(suite.scoring_tasks("test", family, 0, None) for family in suite.families), strict=True):
        yield from seeds


def solution(env: TextEnv, task: Task) -> list[str]:
    """Return the first actions of the solver."""
    env.reset(task)
    return list(env.solve())[:DECISIONS]


def cpu(function: Callable[[Any], object], argument: object) -> float:
    """Return the CPU seconds of a call."""
    start = time.process_time()
    function(argument)
    return time.process_time() - start


def resident() -> float:
    """Return the resident memory in MB."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


if __name__ == "__main__":
    main()

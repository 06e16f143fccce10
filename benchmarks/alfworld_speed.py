"""Our ALFWorld engine beside the stock one, in one run: time, sameness, memory.

    ALFWORLD_DATA=… python benchmarks/alfworld_speed.py              # 60 games, side by side
    ALFWORLD_DATA=… python benchmarks/alfworld_speed.py --identity   # all 274 validation games, solved and at random
    ALFWORLD_DATA=… python benchmarks/alfworld_speed.py --memory 300 # ours alone, game after game

Both play the same commands. Every observation, command list and end is compared; a difference is an error.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import tempfile
import time
from collections import Counter
from functools import lru_cache
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from ictbench import load_suite
from ictbench.envs.alfworld.alfworld_env import AlfworldEnv
from ictbench.envs.alfworld.official_games import game_file

if TYPE_CHECKING:
    from collections.abc import Callable

    from ictbench import Observation, Task

USEFUL = ("take", "open", "move", "heat", "cool", "clean", "use", "slice")


def main() -> None:
    """Parse the command line, before Fast Downward overwrites it, and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--games", type=int, default=60)
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--identity", action="store_true")
    parser.add_argument("--memory", type=int, metavar="GAMES")
    options = parser.parse_args()
    if options.memory:
        memory(options.memory)
    elif options.identity:
        identity(options.steps)
    else:
        speed(options.games, options.steps)


def speed(games: int, steps: int) -> None:
    """Loading and resetting with empty caches, resetting again, stepping."""
    with tempfile.TemporaryDirectory() as empty:
        os.environ["ICTBENCH_CACHE_DIR"] = empty
        ours, times = AlfworldEnv(), Times()
        chosen = tasks()
        for task in chosen[:: max(1, len(chosen) // games)][:games]:
            stock = Stock(task)
            times.clock("stock", "first reset", stock.load_and_reset)
            times.clock("ours", "first reset", ours.reset, task)
            state = times.clock("stock", "reset", stock.env.reset)
            observation = times.clock("ours", "reset", ours.reset, task)
            compare(task, 0, state, observation)
            rng = random.Random(task.id)
            for number in range(1, steps + 1):
                command = wander(observation, rng)
                state = times.clock("stock", "step", stock.step, command)
                observation = times.clock("ours", "step", ours.step, command)
                compare(task, number, state, observation)
                if observation.end:
                    break
            stock.close()
    times.show()


def identity(steps_at_random: int) -> None:
    """All validation games, as the solver plays them and at random. Stock's translation is memoised."""
    import fast_downward

    # Each of stock's four translations of a game asks for the same thing: it has no goal to plan for here.
    original = fast_downward.pddl2sas
    fast_downward.pddl2sas = lru_cache(maxsize=1)(lambda domain, problem, **_: original(domain, problem))
    kept, fast_downward.pddl2sas = fast_downward.pddl2sas, lambda domain, problem, **_: kept(domain, problem)
    ours, steps, wins = AlfworldEnv(), 0, Counter[str]()
    for done, task in enumerate(tasks(), 1):
        stock = Stock(task)
        for how in ("solver", "random"):
            state = stock.load_and_reset() if how == "solver" else stock.env.reset()
            observation = ours.reset(task)
            compare(task, 0, state, observation)
            rng = random.Random(task.id)
            plan = list(ours.solve()) if how == "solver" else []
            for number in range(1, 1 + (len(plan) or steps_at_random)):
                if observation.end:
                    break
                command = plan.pop(0) if how == "solver" else wander(observation, rng)
                state, observation = stock.step(command), ours.step(command)
                compare(task, number, state, observation)
                steps += 1
            wins[how] += observation.end == "solved"
        stock.close()
        if done % 20 == 0:
            print(f"{done} games, {steps} steps, no difference; won: {dict(wins)}", flush=True)
    print(f"{done} games, {steps} steps, no difference; won: {dict(wins)}")


def memory(games: int) -> None:
    """Resident memory while game after game is played by the solver."""
    ours, every = AlfworldEnv(), tasks()
    for number in range(1, games + 1):
        ours.reset(every[(number - 1) % len(every)])
        for command in ours.solve():
            ours.step(command)
        if number in (1, 10) or number % 50 == 0:
            print(f"after {number:4} games: {resident():6.0f} MB", flush=True)


def tasks() -> list[Task]:
    """All validation games, families and splits mixed."""
    suite = load_suite("alfworld-v1")
    found = [
        task
        for family in suite.families
        for pool in ("selection", "test")
        for task in suite.scoring_tasks(pool, family, 0, None)
    ]
    if trouble := AlfworldEnv.unplayable(found):
        sys.exit(trouble)
    return sorted(found, key=lambda task: str(task.params["problem_sha256"]))


def wander(observation: Observation, rng: random.Random) -> str:
    """A random command, more often than not one that changes something."""
    useful = [command for command in observation.actions if command.startswith(USEFUL)]
    return rng.choice(useful if useful and rng.random() < 0.6 else observation.actions)


def compare(task: Task, step: int, state: Any, observation: Observation) -> None:
    """Stop at a difference."""
    stock = (state.feedback, tuple(state.admissible_commands), bool(state.won))
    ours = (observation.text, observation.actions, observation.end == "solved")
    if stock != ours:
        sys.exit(f"{task.id}, step {step}: they differ\nstock {stock}\nours  {ours}")


def resident() -> float:
    """MB."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


class Stock:
    """TextWorld's own environment, with the package's names, on one game."""

    def __init__(self, task: Task) -> None:
        from alfworld.agents.environment.alfred_tw_env import AlfredDemangler
        from textworld.core import EnvInfos
        from textworld.envs import PddlEnv

        self._path = str(game_file(str(task.params["game"])))
        json.loads(Path(self._path).read_bytes())
        self.inner = PddlEnv(EnvInfos(admissible_commands=True, won=True))
        self.env = AlfredDemangler(self.inner)

    def load_and_reset(self) -> Any:
        """Start the game from its file."""
        self.env.load(self._path)
        return self.env.reset()

    def step(self, command: str) -> Any:
        """Carry out a command."""
        return self.env.step(command)[0]

    def close(self) -> None:
        """Free what the native library holds; unloading two of them would crash the process at its end."""
        self.inner.downward_lib.cleanup()


class Times:
    """Seconds by engine and by what was done."""

    def __init__(self) -> None:
        self._seconds: dict[tuple[str, str], list[float]] = {}

    def clock(self, engine: str, what: str, work: Callable[..., Any], *arguments: Any) -> Any:
        """Do it and note how long it took."""
        started = time.perf_counter()
        done = work(*arguments)
        self._seconds.setdefault((engine, what), []).append(time.perf_counter() - started)
        return done

    def show(self) -> None:
        """Medians in milliseconds, and how often ours fits into stock's."""
        print(f"{'':12} {'times':>6} {'stock':>10} {'ours':>10} {'ratio':>7}   median, ms")
        for what in ("first reset", "reset", "step"):
            stock, ours = (self._seconds[engine, what] for engine in ("stock", "ours"))
            ratio = median(stock) / median(ours)
            print(f"{what:12} {len(ours):6} {median(stock) * 1e3:10.1f} {median(ours) * 1e3:10.2f} {ratio:7.1f}")
        print("No difference in observations, command lists or ends.")


if __name__ == "__main__":
    main()

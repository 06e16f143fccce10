"""ALFWorld engine compared with TextWorld's stock engine in one run: time, equal output, memory.

    ALFWORLD_DATA=… python benchmarks/alfworld_speed.py              # 60 games, side by side
    ALFWORLD_DATA=… python benchmarks/alfworld_speed.py --identity   # all 274 validation games, solved and at random
    ALFWORLD_DATA=… python benchmarks/alfworld_speed.py --identity --part 2/9   # the second ninth of them
    ALFWORLD_DATA=… python benchmarks/alfworld_speed.py --memory 300 # this engine only, one game after another

Both engines play the same commands. All observations, command lists and ends are compared. A difference is an error.
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
    """Parse the command line and measure. Importing Fast Downward overwrites the command line, so it comes later."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--games", type=int, default=60)
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--identity", action="store_true")
    parser.add_argument(
        "--part", default="1/1", metavar="I/N", help="with --identity: every N-th game, from the I-th on"
    )
    parser.add_argument("--memory", type=int, metavar="GAMES")
    options = parser.parse_args()
    if options.memory:
        memory(options.memory)
    elif options.identity:
        part, _, parts = options.part.partition("/")
        identity(options.steps, tasks()[int(part) - 1 :: int(parts)])
    else:
        speed(options.games, options.steps)


def speed(games: int, steps: int) -> None:
    """Measure the first reset with empty caches, a second reset, and steps."""
    with tempfile.TemporaryDirectory() as empty:
        os.environ["ICTBENCH_CACHE_DIR"] = empty
        ours, times = AlfworldEnv(), Times()
        all_tasks = tasks()
        for task in all_tasks[:: max(1, len(all_tasks) // games)][:games]:
            stock = Stock(task)
            times.measure("stock", "first reset", stock.load_and_reset)
            times.measure("ours", "first reset", ours.reset, task)
            state = times.measure("stock", "reset", stock.env.reset)
            observation = times.measure("ours", "reset", ours.reset, task)
            compare(task, 0, state, observation)
            rng = random.Random(task.id)
            for number in range(1, steps + 1):
                command = random_command(observation, rng)
                state = times.measure("stock", "step", stock.step, command)
                observation = times.measure("ours", "step", ours.step, command)
                compare(task, number, state, observation)
                if observation.end:
                    break
            stock.close()
    times.show()


def identity(random_steps: int, games: list[Task]) -> None:
    """Compare games, played by the solver and at random. The stock translation is cached."""
    import fast_downward

    # The stock engine translates a game four times, always with the same result.
    original = fast_downward.pddl2sas
    cached = lru_cache(maxsize=1)(lambda domain, problem: original(domain, problem))
    fast_downward.pddl2sas = lambda domain, problem, **_: cached(domain, problem)
    ours, steps, wins = AlfworldEnv(), 0, Counter[str]()
    for done, task in enumerate(games, 1):
        stock = Stock(task)
        for player in ("solver", "random"):
            state = stock.load_and_reset() if player == "solver" else stock.env.reset()
            observation = ours.reset(task)
            compare(task, 0, state, observation)
            rng = random.Random(task.id)
            solution = list(ours.solve()) if player == "solver" else []
            for number in range(1, 1 + (len(solution) or random_steps)):
                if observation.end:
                    break
                command = solution.pop(0) if player == "solver" else random_command(observation, rng)
                state, observation = stock.step(command), ours.step(command)
                compare(task, number, state, observation)
                steps += 1
            wins[player] += observation.end == "solved"
        stock.close()
        if done % 20 == 0:
            print(f"{done} games, {steps} steps, no difference; won: {dict(wins)}", flush=True)
    print(f"{done} games, {steps} steps, no difference; won: {dict(wins)}")


def memory(games: int) -> None:
    """Print resident memory while the solver plays one game after another."""
    ours, all_tasks = AlfworldEnv(), tasks()
    for number in range(1, games + 1):
        ours.reset(all_tasks[(number - 1) % len(all_tasks)])
        for command in ours.solve():
            ours.step(command)
        if number in (1, 10) or number % 50 == 0:
            print(f"after {number:4} games: {resident():6.0f} MB", flush=True)


def tasks() -> list[Task]:
    """Return all validation games, with families and splits mixed."""
    suite = load_suite("alfworld-v1")
    games = [
        task
        for family in suite.families
        for pool in ("selection", "test")
        for task in suite.scoring_tasks(pool, family, 0, None)
    ]
    if problem := AlfworldEnv.unplayable(games):
        sys.exit(problem)
    return sorted(games, key=lambda task: str(task.params["problem_sha256"]))


def random_command(observation: Observation, rng: random.Random) -> str:
    """Return a random command, preferably one that can change something."""
    useful = [command for command in observation.actions if command.startswith(USEFUL)]
    return rng.choice(useful if useful and rng.random() < 0.6 else observation.actions)


def compare(task: Task, step: int, state: Any, observation: Observation) -> None:
    """Exit with an error if the engines differ."""
    stock = (state.feedback, tuple(state.admissible_commands), bool(state.won))
    ours = (observation.text, observation.actions, observation.end == "solved")
    if stock != ours:
        sys.exit(f"{task.id}, step {step}: the engines differ\nstock {stock}\nours  {ours}")


def resident() -> float:
    """Return the resident memory in MB."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


class Stock:
    """TextWorld's environment with the alfworld package's names, on one game."""

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
        """Free the memory of the native library. Unloading two of them would crash the process at its end."""
        self.inner.downward_lib.cleanup()


class Times:
    """CPU seconds by engine and operation: other work on the machine hardly changes them."""

    def __init__(self) -> None:
        self._seconds: dict[tuple[str, str], list[float]] = {}

    def measure(self, engine: str, operation: str, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call a function, record its CPU time, and return its result."""
        start = time.process_time()
        result = function(*arguments)
        self._seconds.setdefault((engine, operation), []).append(time.process_time() - start)
        return result

    def show(self) -> None:
        """Print medians in milliseconds and the ratio of both engines."""
        print(f"{'':12} {'times':>6} {'stock':>10} {'ours':>10} {'ratio':>7}   median, ms of CPU")
        for operation in ("first reset", "reset", "step"):
            stock, ours = (self._seconds[engine, operation] for engine in ("stock", "ours"))
            ratio = median(stock) / median(ours)
            print(f"{operation:12} {len(ours):6} {median(stock) * 1e3:10.1f} {median(ours) * 1e3:10.2f} {ratio:7.1f}")
        print("No difference in observations, command lists or ends.")


if __name__ == "__main__":
    main()

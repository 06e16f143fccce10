"""MiniGrid's rooms, drawn as text, as an environment of one's own: get to the goal, and not into the lava.

Rooms are built from a seed by the `minigrid` package, at once.

    pip install minigrid
    export PYTHONPATH=examples
    ictbench run --suite examples/minigrid_text.yaml --reflector rules --out runs/minigrid
    ictbench run --suite examples/minigrid_text.yaml --actor solver --reflector none    # the ceiling
    ictbench verify runs/minigrid --suite examples/minigrid_text.yaml
"""

from __future__ import annotations

from collections import deque
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import gymnasium
import minigrid  # noqa: F401 - registers the environments

from ictbench import Observation, Task, TextEnv

if TYPE_CHECKING:
    from collections.abc import Sequence

MOVES = {"step east": (1, 0), "step south": (0, 1), "step west": (-1, 0), "step north": (0, -1)}
"""In the order of MiniGrid's directions, with what they add to column and row."""
STEPS = tuple(MOVES)
LEFT, RIGHT, FORWARD = 0, 1, 2
TURNS = {0: (), 1: (RIGHT,), 2: (RIGHT, RIGHT), 3: (LEFT,)}
"""What turns the agent to a direction, by how many quarters it lies to the right."""
SYMBOLS = {"floor": ".", "wall": "#", "goal": "%", "lava": "~"}


class MiniGridEnv(TextEnv):
    """A task's params are `env_id`, a registered MiniGrid id, and `seed`."""

    world: Any = None

    @classmethod
    def pool_key(cls, task: Task) -> str:
        """One instance serves one id."""
        return str(task.params["env_id"])

    def reset(self, task: Task) -> Observation:
        """Build the room of the seed."""
        if self.world is None:
            self.world = gymnasium.make(self.pool_key(task)).unwrapped
        self.world.reset(seed=task.params["seed"])
        return self.observe()

    def step(self, action: str) -> Observation:
        """Turn that way and walk; these key presses are no decisions."""
        presses = (*TURNS[(STEPS.index(action) - self.world.agent_dir) % 4], FORWARD)
        for press in presses:
            _, reward, ended, _, _ = self.world.step(press)
        return self.observe(float(reward), ended, tuple(self.world.actions(press).name for press in presses))

    def observe(self, reward: float = 0.0, ended: bool = False, keys: tuple[str, ...] = ()) -> Observation:
        """The room from above; where the agent stands when the world ends says whether it got there."""
        columns, rows = range(self.world.grid.width), range(self.world.grid.height)
        drawn = [[SYMBOLS[self.kind(x, y)] for x in columns] for y in rows]
        x, y = self.world.agent_pos
        end = ("solved" if self.kind(x, y) == "goal" else "died") if ended else None
        drawn[y][x] = "@"
        return Observation(text="\n".join(map("".join, drawn)), actions=STEPS, reward=reward, end=end, keys=keys)

    def kind(self, x: int, y: int) -> str:
        """What lies on a square."""
        return getattr(self.world.grid.get(x, y), "type", "floor")

    def solve(self) -> Sequence[str]:
        """The shortest way, breadth first."""
        ways: dict[tuple[int, int], tuple[str, ...]] = {tuple(self.world.agent_pos): ()}
        queue = deque(ways)
        while queue:
            x, y = queue.popleft()
            if self.kind(x, y) == "goal":
                return ways[x, y]
            if self.kind(x, y) == "floor":
                found = {(x + dx, y + dy): (*ways[x, y], step) for step, (dx, dy) in MOVES.items()}
                queue.extend(place for place in found if place not in ways)
                ways = found | ways
        raise ValueError("there is no way")

    def close(self) -> None:
        """Close the world."""
        if self.world is not None:
            self.world.close()
        self.world = None

    def versions(self) -> dict[str, str]:
        """The package of the rooms, and the one it is made with."""
        return {name: version(name) for name in ("minigrid", "gymnasium")}

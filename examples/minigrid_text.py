"""Example of a custom environment: MiniGrid rooms as text. Reach the goal and avoid the lava.

The `minigrid` package builds a room from a seed.

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
"""Change of column and row, in the order of MiniGrid's directions."""
STEPS = tuple(MOVES)
LEFT, RIGHT, FORWARD = 0, 1, 2
TURNS = {0: (), 1: (RIGHT,), 2: (RIGHT, RIGHT), 3: (LEFT,)}
"""Actions that turn the agent, by the number of quarter turns to the right."""
SYMBOLS = {"floor": ".", "wall": "#", "goal": "%", "lava": "~"}


class MiniGridEnv(TextEnv):
    """Tasks have the params `env_id`, a registered MiniGrid id, and `seed`."""

    world: Any = None

    @classmethod
    def pool_key(cls, task: Task) -> str:
        """Return the id: an instance can play all tasks of one id."""
        return str(task.params["env_id"])

    def reset(self, task: Task) -> Observation:
        """Build the room of the seed."""
        if self.world is None:
            self.world = gymnasium.make(self.pool_key(task)).unwrapped
        self.world.reset(seed=task.params["seed"])
        return self.observe()

    def step(self, action: str) -> Observation:
        """Turn to the direction and walk one square, as one decision."""
        presses = (*TURNS[(STEPS.index(action) - self.world.agent_dir) % 4], FORWARD)
        for press in presses:
            _, reward, ended, _, _ = self.world.step(press)
        return self.observe(float(reward), ended, tuple(self.world.actions(press).name for press in presses))

    def observe(self, reward: float = 0.0, ended: bool = False, keys: tuple[str, ...] = ()) -> Observation:
        """Draw the room from above. When the episode is over, the agent's square tells whether it is solved."""
        columns, rows = range(self.world.grid.width), range(self.world.grid.height)
        drawn = [[SYMBOLS[self.kind(x, y)] for x in columns] for y in rows]
        x, y = self.world.agent_pos
        end = ("solved" if self.kind(x, y) == "goal" else "died") if ended else None
        drawn[y][x] = "@"
        return Observation(text="\n".join(map("".join, drawn)), actions=STEPS, reward=reward, end=end, keys=keys)

    def kind(self, x: int, y: int) -> str:
        """Return the type of the object on a square."""
        return getattr(self.world.grid.get(x, y), "type", "floor")

    def solve(self) -> Sequence[str]:
        """Return the shortest path, by breadth-first search."""
        paths: dict[tuple[int, int], tuple[str, ...]] = {tuple(self.world.agent_pos): ()}
        queue = deque(paths)
        while queue:
            x, y = queue.popleft()
            if self.kind(x, y) == "goal":
                return paths[x, y]
            if self.kind(x, y) == "floor":
                reachable = {(x + dx, y + dy): (*paths[x, y], step) for step, (dx, dy) in MOVES.items()}
                queue.extend(square for square in reachable if square not in paths)
                paths = reachable | paths
        raise ValueError("the goal cannot be reached")

    def close(self) -> None:
        """Close the MiniGrid environment."""
        if self.world is not None:
            self.world.close()
        self.world = None

    def versions(self) -> dict[str, str]:
        """Return the versions of the packages that define the rooms."""
        return {name: version(name) for name in ("minigrid", "gymnasium")}

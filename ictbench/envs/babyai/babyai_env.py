"""BabyAI as a `TextEnv`: grid worlds with a mission in words, reproducible from a seed.

The params of a task are `env_id`, a registered BabyAI id, and `seed`. A task is solved when the level's own verifier
reports success. The agent sees seven by seven squares in front of it, as in BabyAI; walls and closed doors hide what is
behind them.

An id with few levels gives the same one for many seeds. The optional param `split_at` lists the seeds at which pools
begin: seeds of different pools then never have the same level. A level belongs to one pool, by its digest, and the
level of a seed is the first draw that belongs to the seed's pool.
"""

from __future__ import annotations

import functools
import hashlib
import warnings
from bisect import bisect_right
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from ictbench.envs.babyai.mission_parts import share_done
from ictbench.envs.text_env import TextEnv
from ictbench.errors import EnvError, MissingExtraError, UsageError
from ictbench.records import Observation

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ictbench.records import EnvEnd, Task

ACTIONS = ("turn left", "turn right", "move forward", "pick up", "drop", "toggle")
"""Actions, in the order of MiniGrid's action numbers."""

DOOR_STATES = ("open", "closed", "locked")

SYMBOLS = {"unseen": "?", "empty": ".", "wall": "#", "door": "D", "key": "K", "ball": "B", "box": "X"}
"""Symbols of the map by MiniGrid's name of an object."""

NO_LIMIT = 1_000_000_000
"""Step limit given to MiniGrid; the rollout enforces the limit of an episode."""

MAX_PLAN = 1_000
"""Maximum actions of the bot."""

MAX_DRAWS = 1_000
"""Maximum draws of a level that belongs to the pool of its seed."""

SEEDS = 2**31
"""Seeds of tasks are smaller; draw number n of a level uses the seed plus n times this."""


class BabyAIEnv(TextEnv):
    """Environment of one BabyAI id at a time."""

    def __init__(self) -> None:
        """Import the package.

        Raises:
            MissingExtraError: minigrid cannot be imported.
        """
        self._minigrid = _import_minigrid()
        self._env_id: str | None = None
        self._env: Any = None
        self._drawn_from = 0

    @classmethod
    def pool_key(cls, task: Task) -> str:
        """Return the BabyAI id: an instance is reused for tasks with the same id."""
        return str(task.params.get("env_id"))

    def reset(self, task: Task) -> Observation:
        """Build the level of the task's BabyAI id and seed.

        Raises:
            UsageError: The params are not a known BabyAI id and a seed, or `split_at` does not list seeds in order, or
                a param is unknown.
        """
        if unknown := sorted(set(task.params) - {"env_id", "seed", "split_at"}):
            raise UsageError(f"task {task.id!r}: {unknown[0]!r} is not a param (params: env_id, seed, split_at)")
        env_id, seed = task.params.get("env_id"), task.params.get("seed")
        if not isinstance(env_id, str) or type(seed) is not int or not 0 <= seed < SEEDS:
            raise UsageError(
                f"task {task.id!r}: params need an `env_id` and a `seed` from 0 to 2**31 - 1, not {task.params!r}"
            )
        split_at = _split_at(task)
        if env_id != self._env_id:
            self.close()
            self._env, self._env_id = _make(env_id), env_id
        for draw in range(MAX_DRAWS):
            self._drawn_from = seed + draw * SEEDS
            seen = _start(self._env, self._drawn_from)
            if not split_at or _part(self.content_key(), len(split_at) + 1) == bisect_right(split_at, seed):
                return self._observe(seen)
        raise UsageError(
            f"task {task.id!r}: {env_id} has too few levels for {len(split_at) + 1} pools; omit `split_at`"
        )

    def content_key(self) -> str:
        """Return a digest of the level at its start: all squares, the agent's place and direction, and the mission."""
        place = (*map(int, self._env.agent_pos), int(self._env.agent_dir))
        content = self._env.grid.encode().tobytes() + repr((place, self._env.mission)).encode()
        return hashlib.sha256(content).hexdigest()

    def step(self, action: str) -> Observation:
        """Carry out one action. The reward is 1 for the action that accomplishes the mission."""
        seen, reward, terminated, _, _ = self._env.step(ACTIONS.index(action))
        end: EnvEnd | None = None
        if terminated:
            end = "solved" if reward > 0 else "env_ended"
        return self._observe(seen, float(end == "solved"), end)

    def solve(self) -> Sequence[str]:
        """Return the actions of BabyAI's bot, which knows the mission and sees what the agent sees.

        Raises:
            EnvError: The bot does not accomplish the mission.
        """
        assert self._env_id is not None
        env = _make(self._env_id)
        _start(env, self._drawn_from)
        bot = self._minigrid.BabyAIBot(env)
        plan: list[str] = []
        while len(plan) < MAX_PLAN:
            number = int(bot.replan())
            if number >= len(ACTIONS):
                break
            plan.append(ACTIONS[number])
            _, reward, terminated, _, _ = env.step(number)
            if terminated and reward > 0:
                return plan
            if terminated:
                break
        raise EnvError(f"BabyAI's bot does not solve {self._env_id} with seed {self._drawn_from}")

    def close(self) -> None:
        """Close the level."""
        if self._env is not None:
            self._env.close()
        self._env = self._env_id = None

    def versions(self) -> dict[str, str]:
        """Return the version of minigrid."""
        return {"minigrid": _version()}

    def _observe(self, seen: Any, reward: float = 0.0, end: EnvEnd | None = None) -> Observation:
        carried = self._env.carrying
        lines = [
            f"Mission: {seen['mission']}",
            f"You carry {_with_article(carried.color, carried.type)}." if carried else "You carry nothing.",
            *_view(seen["image"]),
        ]
        progress = share_done(self._env.instrs, accomplished=end == "solved")
        return Observation(text="\n".join(lines), actions=ACTIONS, reward=reward, end=end, progress=progress)


def _split_at(task: Task) -> tuple[int, ...]:
    """Return the seeds at which pools begin; none if the levels are not split."""
    seeds = task.params.get("split_at", ())
    if isinstance(seeds, (list, tuple)) and all(type(seed) is int for seed in seeds):
        ordered = tuple(seed for seed in seeds if type(seed) is int)
        if ordered == tuple(sorted(set(ordered))):
            return ordered
    raise UsageError(f"task {task.id!r}: `split_at` must list seeds in ascending order, not {seeds!r}")


def _part(digest: str, parts: int) -> int:
    """Return the pool to which a level belongs."""
    return int(digest, 16) % parts


def _view(image: Any) -> Iterator[str]:
    """Yield the lines that describe the squares in front of the agent.

    Args:
        image: MiniGrid's encoding of the view: column, row, and numbers of object, color and state. The agent stands
            in the middle of the last row and looks towards the first row.
    """
    objects, colors = _names()
    width, height = image.shape[:2]
    agent = (width // 2, height - 1)
    named: list[tuple[int, int, str]] = []
    rows = []
    for y in range(height):
        symbols = []
        for x in range(width):
            kind, color, state = (int(number) for number in image[x, y])
            name = objects[kind]
            if (x, y) == agent:
                symbols.append("^")
                continue
            symbols.append(SYMBOLS[name])
            if name not in ("unseen", "empty", "wall"):
                described = _with_article(colors[color], name, DOOR_STATES[state] if name == "door" else "")
                named.append((agent[1] - y, x - agent[0], described))
        rows.append("".join(symbols))
    ahead = objects[int(image[agent[0], agent[1] - 1][0])]
    yield from (f"You see {name} {_place(up, right)}." for up, right, name in sorted(named, key=_distance))
    if ahead in ("wall", "empty"):
        yield "A wall is right in front of you." if ahead == "wall" else "The square in front of you is free."
    yield ""
    yield from rows


def _distance(thing: tuple[int, int, str]) -> tuple[int, int, int]:
    up, right, _ = thing
    return up + abs(right), up, right


def _place(up: int, right: int) -> str:
    if (up, right) == (1, 0):
        return "right in front of you"
    parts = [f"{up} ahead"] if up else []
    if right:
        parts.append(f"{abs(right)} to the {'right' if right > 0 else 'left'}")
    return " and ".join(parts)


def _with_article(color: str, name: str, state: str = "") -> str:
    words = f"{state} {color} {name}".strip()
    return f"{'an' if words[0] in 'aeiou' else 'a'} {words}"


def _make(env_id: str) -> Any:
    import gymnasium

    if not env_id.startswith("BabyAI-") or env_id not in gymnasium.registry:
        raise UsageError(f"{env_id!r} is not a BabyAI environment of the installed minigrid package")
    return gymnasium.make(env_id, disable_env_checker=True).unwrapped


def _start(env: Any, seed: int) -> Any:
    """Build the level of a seed without a limit of steps, and return what the agent sees."""
    seen, _ = env.reset(seed=seed)
    env.max_steps = NO_LIMIT
    return seen


@functools.cache
def _names() -> tuple[dict[int, str], dict[int, str]]:
    """Return MiniGrid's names of objects and colors by their numbers."""
    from minigrid.core.constants import IDX_TO_COLOR, IDX_TO_OBJECT

    return IDX_TO_OBJECT, IDX_TO_COLOR


@functools.cache
def _version() -> str:
    return version("minigrid")


def _import_minigrid() -> Any:
    """Return the module of BabyAI's bot, with the ids registered."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from minigrid.envs.babyai.core import roomgrid_level
            from minigrid.utils import baby_ai_bot
    except ModuleNotFoundError as error:
        raise MissingExtraError("BabyAI", "babyai", str(error)) from error
    # It prints each rejected draw of a level to standard output.
    vars(roomgrid_level)["print"] = lambda *_: None
    return baby_ai_bot

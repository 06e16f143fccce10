"""MiniHack as a `TextEnv`: real NetHack levels, reproducible from a seed.

The params of a task are `env_id`, a registered MiniHack id, and `seed`. A task is solved when MiniHack reports
`TASK_SUCCESSFUL`. One decision may need several key presses: `answer_question` chooses the further ones.
"""

from __future__ import annotations

import dataclasses
import functools
import re
import warnings
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ictbench.envs.minihack.fast_minihack import fast_class
from ictbench.envs.text_env import TextEnv
from ictbench.errors import EnvError, MissingExtraError, UsageError
from ictbench.records import EnvEnd, Observation

if TYPE_CHECKING:
    from ictbench.records import Task

COMPASS = {"n": "k", "ne": "u", "e": "l", "se": "n", "s": "j", "sw": "b", "w": "h", "nw": "y"}
"""Direction → NetHack's movement key. The capital letter runs."""

ACTION_KEYS = {
    **{f"step {direction}": ord(key) for direction, key in COMPASS.items()},
    **{f"run {direction}": ord(key.upper()) for direction, key in COMPASS.items()},
    "read": ord("r"),
    "eat": ord("e"),
    "puton": ord("P"),
    "zap": ord("z"),
    "wield": ord("w"),
    "wear": ord("W"),
    "pickup": ord(","),
}
"""Action → key code that NetHack binds to it, for all actions of the suite."""

MAX_KEY_PRESSES = 32
"""Most further key presses of one decision, including those that pass --More--."""

SCREEN_ROWS = 24

MAP_ROWS = slice(1, 22)
"""Rows of the terminal that hold the map, between the message and the status, in which every game differs."""

ESCAPE = "\x1b"

NO_LIMIT = 1_000_000_000
"""Step limit given to NLE. NLE counts key presses, not decisions; the rollout enforces the limit of an episode."""


class MiniHackEnv(TextEnv):
    """Environment of one MiniHack id at a time. Creating a game is slow, starting it with another seed is fast."""

    def __init__(self) -> None:
        """Import the packages.

        Raises:
            MissingExtraError: nle or minihack cannot be imported.
        """
        self._gym = _import_gym()
        self._env_id: str | None = None
        self._env: Any = None
        self._keys: list[str] = []
        """Keys pressed in the current decision, the action's own key first."""

    @classmethod
    def pool_key(cls, task: Task) -> str:
        """Return the MiniHack id: an instance is reused for tasks with the same id."""
        return str(task.params.get("env_id"))

    @classmethod
    def start_key(cls, first: Observation) -> str:
        """Return the map: neither message nor status, in which every game differs."""
        return "\n".join(first.text.split("\n")[-SCREEN_ROWS:][MAP_ROWS])

    def reset(self, task: Task) -> Observation:
        """Start the level of the task's MiniHack id and seed.

        Raises:
            UsageError: The params are not a known MiniHack id and a seed.
        """
        env_id, seed = task.params.get("env_id"), task.params.get("seed")
        if not isinstance(env_id, str) or not isinstance(seed, int) or not 0 <= seed < 2**31:
            raise UsageError(
                f"task {task.id!r}: params need an `env_id` and a `seed` from 0 to 2**31 - 1, not {task.params!r}"
            )
        if env_id != self._env_id:
            self._create(env_id)
        # NetHack shows the high scores of earlier games on the screen of a death.
        Path(self._env.nethack._vardir, "record").write_bytes(b"")
        # Gymnasium's reset(seed=...) does not seed NetHack's random number generators.
        self._env.seed(seed, seed, reseed=False)
        self._keys.clear()
        self._env.reset()
        self._capture()
        return self._observe()

    def step(self, action: str) -> Observation:
        """Press the key of the action, then answer the questions that the game asks to carry it out."""
        self._keys.clear()
        reward, end = self._press(ACTION_KEYS[action])
        while end is None and self._is_asking():
            more, end = self._press(ord(answer_question(self._message)))
            reward += more
        return self._observe(reward, end, tuple(self._keys[1:]))

    def close(self) -> None:
        """Close the game, which removes its folder."""
        if self._env is not None:
            self._env.close()
        self._env = self._env_id = None

    def versions(self) -> dict[str, str]:
        """Return the versions of minihack and nle."""
        return dict(_versions())

    def _create(self, env_id: str) -> None:
        self.close()
        registration = self._gym.envs.registration
        registry = registration.registry
        if env_id not in registry or not env_id.startswith("MiniHack-"):
            raise UsageError(f"{env_id!r} is not an environment of the installed minihack package")
        # fix_moon_phase: the seed, not the clock, determines moon phase, Friday the 13th and night.
        # observation_keys: MiniHack would crop eight arrays per step; text and screen come from NLE's own buffers.
        spec = registry[env_id]
        env = self._gym.make(
            dataclasses.replace(spec, entry_point=fast_class(registration.load_env_creator, spec.entry_point)),
            disable_env_checker=True,
            fix_moon_phase=True,
            observation_keys=("message",),
        ).unwrapped
        # Gymnasium's make() passes max_episode_steps to its own wrapper only.
        env._max_episode_steps = NO_LIMIT
        task_keys = {int(key) for key in env.actions}
        self._actions = tuple(name for name, key in ACTION_KEYS.items() if key in task_keys)
        # An answer to a question may be a key that is not among the task's actions.
        env.actions = (*env.actions, *(key for key in (27, *range(32, 127)) if key not in task_keys))
        self._index = {int(key): index for index, key in enumerate(env.actions)}
        self._env, self._env_id = env, env_id
        keys = env._observation_keys
        self._message_index, self._screen_index = keys.index("message"), keys.index("tty_chars")
        self._install_hooks()

    def _install_hooks(self) -> None:
        """Record every key press, including NLE's own for --More--, and the screen before NLE quits a won game."""
        env, press, quit_game = self._env, self._env.nethack.step, self._env._quit_game

        def count_and_press(key: int) -> Any:
            self._keys.append(chr(key))
            if len(self._keys) > 1 + MAX_KEY_PRESSES:
                raise EnvError(
                    f"one decision needs more than {MAX_KEY_PRESSES} further key presses; "
                    f"NetHack's message is {self._message!r}"
                )
            return press(key)

        def capture_then_quit(observation: Any, done: bool) -> None:
            self._capture()
            env.nethack.step = press
            quit_game(observation, done)
            env.nethack.step = count_and_press

        env.nethack.step, env._quit_game = count_and_press, capture_then_quit

    def _press(self, key: int) -> tuple[float, EnvEnd | None]:
        _, reward, done, _, info = self._env.step(self._index[key])
        if not done:
            self._capture()
            return reward, None
        status = info["end_status"].name
        if status == "TASK_SUCCESSFUL":
            return reward, "solved"
        self._capture()
        return reward, "died" if status == "DEATH" else "env_ended"

    def _is_asking(self) -> bool:
        """Check whether NetHack waits for the answer to a question of one key."""
        return bool(self._env.last_observation[self._env._internal_index][1])

    def _capture(self) -> None:
        """Copy message and screen from NLE's buffers, which the next key press overwrites."""
        buffers = self._env.last_observation
        self._message = bytes(buffers[self._message_index]).split(b"\0")[0].decode("latin-1").strip()
        screen = buffers[self._screen_index]
        width, characters = screen.shape[1], screen.tobytes().decode("latin-1")
        self._screen = [characters[start : start + width].rstrip() for start in range(0, len(characters), width)]

    def _observe(self, reward: float = 0.0, end: EnvEnd | None = None, keys: tuple[str, ...] = ()) -> Observation:
        screen = "\n".join(self._screen)
        text = f"{self._message}\n\n{screen}" if self._message else screen
        return Observation(text=text, actions=self._actions, reward=reward, end=end, keys=keys)


def answer_question(message: str) -> str:
    """Return the key that answers NetHack's question.

    "eat it? [ynq]" → y; "What do you want to wield? [- abf or ?*]" → f, the item picked up last; "In what direction?"
    → . (oneself); any other question → escape.
    """
    choices = re.findall(r"\[([^\]]*)\]", message)
    if choices and choices[-1].startswith("yn"):
        return "y"
    items = re.findall(r"[a-zA-Z]", choices[-1].removesuffix("or ?*")) if choices else []
    if items:
        return str(items[-1])
    return "." if "direction?" in message else ESCAPE


@functools.cache
def _versions() -> tuple[tuple[str, str], ...]:
    return tuple((name, version(name)) for name in ("minihack", "nle"))


def _import_gym() -> Any:
    """Return Gymnasium, with the MiniHack ids registered."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # minihack imports pkg_resources, which is deprecated
            import gymnasium
            import minihack  # noqa: F401 - registers the ids
    except ModuleNotFoundError as error:
        raise MissingExtraError("MiniHack", "minihack", str(error)) from error
    return gymnasium

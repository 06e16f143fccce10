"""MiniHack: real NetHack levels, deterministic from a seed, shown as text.

A task's params are `env_id`, a registered MiniHack id, and `seed`. Success is MiniHack's own
`TASK_SUCCESSFUL`. One decision may need further key presses; `answer_question` states the rule for them.
"""

from __future__ import annotations

import dataclasses
import functools
import re
import warnings
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ictbench.envs.minihack.compiled_levels import creator
from ictbench.envs.text_env import TextEnv
from ictbench.errors import EnvError, MissingExtraError, UsageError
from ictbench.records import EnvEnd, Observation

if TYPE_CHECKING:
    from ictbench.records import Task

COMPASS = {"n": "k", "ne": "u", "e": "l", "se": "n", "s": "j", "sw": "b", "w": "h", "nw": "y"}
"""Direction → NetHack's movement key; the capital letter runs."""

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
"""Every action of the suite → the key that NetHack binds to it."""

MAX_KEY_PRESSES = 32
"""Bound on the further key presses of one decision, --More-- included."""

ESCAPE = "\x1b"

# NLE counts key presses, not decisions, against its own limit; the episode's limit is the engine's.
NO_LIMIT = 1_000_000_000


class MiniHackEnv(TextEnv):
    """One warm MiniHack environment per MiniHack id: making one is dear, reseeding it is cheap."""

    def __init__(self) -> None:
        """Check that the packages are there.

        Raises:
            MissingExtraError: nle or minihack cannot be imported.
        """
        self._gym = _import_gym()
        self._env_id: str | None = None
        self._env: Any = None
        self._keys: list[str] = []
        """Pressed since the decision began, the action's own key first."""

    @classmethod
    def pool_key(cls, task: Task) -> str:
        """One instance serves one MiniHack id."""
        return str(task.params.get("env_id"))

    def reset(self, task: Task) -> Observation:
        """Start the level of the task's id and seed."""
        env_id, seed = task.params.get("env_id"), task.params.get("seed")
        if not isinstance(env_id, str) or not isinstance(seed, int) or not 0 <= seed < 2**31:
            raise UsageError(
                f"task {task.id!r}: params need an `env_id` and a `seed` from 0 to 2**31 - 1, not {task.params!r}"
            )
        if env_id != self._env_id:
            self._make(env_id)
        # The high-score file of earlier games shows on the screen at death.
        Path(self._env.nethack._vardir, "record").write_bytes(b"")
        # gymnasium's reset(seed=...) does not reach NetHack's generators; this does.
        self._env.seed(seed, seed, reseed=False)
        self._keys.clear()
        self._env.reset()
        self._capture()
        return self._observe()

    def step(self, action: str) -> Observation:
        """Press the action's key, then whatever keys the game asks for to carry it out."""
        self._keys.clear()
        reward, end = self._press(ACTION_KEYS[action])
        while end is None and self._asks():
            more, end = self._press(ord(answer_question(self._message)))
            reward += more
        return self._observe(reward, end, tuple(self._keys[1:]))

    def close(self) -> None:
        """Close the game and remove its folder."""
        if self._env is not None:
            self._env.close()
        self._env = self._env_id = None

    def versions(self) -> dict[str, str]:
        """The game, its levels."""
        return dict(_versions())

    def _make(self, env_id: str) -> None:
        self.close()
        registration = self._gym.envs.registration
        registry = registration.registry
        if env_id not in registry or not env_id.startswith("MiniHack-"):
            raise UsageError(f"MiniHack has no environment {env_id!r}")
        # fix_moon_phase derives moon phase, Friday the 13th and night from the seed instead of the clock.
        # MiniHack would crop eight arrays a step; message and screen are read from NLE's own buffers.
        spec = registry[env_id]
        env = self._gym.make(
            dataclasses.replace(spec, entry_point=creator(registration.load_env_creator, spec.entry_point)),
            disable_env_checker=True,
            fix_moon_phase=True,
            observation_keys=("message",),
        ).unwrapped
        # gymnasium keeps a max_episode_steps given to make() for its own wrapper.
        env._max_episode_steps = NO_LIMIT
        offered = {int(key) for key in env.actions}
        self._actions = tuple(name for name, key in ACTION_KEYS.items() if key in offered)
        # Answers to questions are letters that the task's own action list need not hold.
        env.actions = (*env.actions, *(key for key in (27, *range(32, 127)) if key not in offered))
        self._index = {int(key): index for index, key in enumerate(env.actions)}
        self._env, self._env_id = env, env_id
        keys = env._observation_keys
        self._message_at, self._screen_at = keys.index("message"), keys.index("tty_chars")
        self._watch()

    def _watch(self) -> None:
        """See every key press, NLE's own for --More-- included, and the screen before NLE quits a won game."""
        env, press, quit_game = self._env, self._env.nethack.step, self._env._quit_game

        def count_and_press(key: int) -> Any:
            self._keys.append(chr(key))
            if len(self._keys) > 1 + MAX_KEY_PRESSES:
                raise EnvError(
                    f"NetHack wants more than {MAX_KEY_PRESSES} further key presses; it says {self._message!r}"
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

    def _asks(self) -> bool:
        """Whether NetHack waits for the answer to a one-key question."""
        return bool(self._env.last_observation[self._env._internal_index][1])

    def _capture(self) -> None:
        """Read message and screen out of NLE's buffers, which the next key press overwrites."""
        buffers = self._env.last_observation
        self._message = bytes(buffers[self._message_at]).split(b"\0")[0].decode("latin-1").strip()
        screen = buffers[self._screen_at]
        width, characters = screen.shape[1], screen.tobytes().decode("latin-1")
        self._screen = [characters[at : at + width].rstrip() for at in range(0, len(characters), width)]

    def _observe(self, reward: float = 0.0, end: EnvEnd | None = None, keys: tuple[str, ...] = ()) -> Observation:
        screen = "\n".join(self._screen)
        text = f"{self._message}\n\n{screen}" if self._message else screen
        return Observation(text=text, actions=self._actions, reward=reward, end=end, keys=keys)


def answer_question(message: str) -> str:
    """The key that answers NetHack's question: yes; the newest item on offer; oneself; or escape.

    "eat it? [ynq]" → y; "What do you want to wield? [- abf or ?*]" → f, as newly taken items get the
    last letter; "In what direction?" → . (oneself); anything else → escape.
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
    """Gymnasium, with the MiniHack ids registered."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # pkg_resources' own deprecation, on import of minihack
            import gymnasium
            import minihack  # noqa: F401 - registers the ids
    except ModuleNotFoundError as error:
        raise MissingExtraError("MiniHack", "minihack", str(error)) from error
    return gymnasium

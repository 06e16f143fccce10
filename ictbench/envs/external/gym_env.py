"""Gymnasium environments as a `TextEnv`: `gym:ID`, or `gym:MODULE:ID` to import the module that registers the id.

The seed of a task goes to `reset`. Observations are shown that are texts, or hold one, or else what the environment
draws as text.
"""

from __future__ import annotations

import hashlib
import importlib
import re
import sys
from functools import cache
from importlib.metadata import packages_distributions, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from ictbench.envs.external.interface import ExternalParams, Interface, as_text, require
from ictbench.envs.text_env import TextEnv
from ictbench.errors import ConfigError, MissingExtraError, PluginError
from ictbench.plugin_errors import describe_error
from ictbench.records import Observation, digest_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ictbench.records import EnvEnd, Task

COLORED = re.compile(r"\x1b\[([0-9;]*)m(.*?)\x1b\[0?m", re.DOTALL)
OTHER_ESCAPES = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
COLORS = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")
"""Colors by the last digit of their code in a terminal."""

MADE_BY = ("make", "wrappers")
"""Params on which the instance depends, and not only the episode."""


class GymParams(ExternalParams):
    """Params of the tasks of a Gymnasium environment."""

    make: dict[str, Any] = Field(default_factory=dict)
    """Arguments of `gymnasium.make`."""
    wrappers: tuple[str, ...] = ()
    """Names `package.module:Class` of wrappers, the innermost first."""
    reset: dict[str, Any] | None = None
    """Options of `reset`."""


class GymEnv(TextEnv):
    """Environment of one Gymnasium id."""

    addressed: ClassVar[bool] = True

    def __init__(self, address: str) -> None:
        """Find the id.

        Raises:
            MissingExtraError: gymnasium cannot be imported.
            ConfigError: The id is not registered.
        """
        self._id = address
        self._spec = _find_spec(address)
        self._env: Any = None
        self._interface = Interface()
        self._offered: dict[str, Any] = {}

    @classmethod
    def pool_key(cls, task: Task) -> str:
        """Return a digest of the params with which an instance is made."""
        return digest_of({name: task.params.get(name) for name in MADE_BY}, 16)

    def reset(self, task: Task) -> Observation:
        """Start the episode of the task's seed.

        Raises:
            ConfigError: The environment cannot be made, or the suite lacks what it does not say itself.
        """
        params = GymParams.of(task)
        self._interface = params.interface
        if self._env is None:
            self._env = self._make(params)
        seen, info = self._env.reset(seed=params.seed, options=params.reset)
        require(self._interface, f"gym:{self._id}", info, knows_actions=False)
        return self._observe(seen, info)

    def step(self, action: str) -> Observation:
        """Execute one action. An episode that the environment ends without success ends as `env_ended`."""
        seen, reward, terminated, truncated, info = self._env.step(self._offered[action])
        ended = bool(terminated or truncated)
        end: EnvEnd | None = "env_ended" if ended else None
        if self._interface.is_solved(info, float(reward), ended):
            end = "solved"
        return self._observe(seen, info, float(reward), end)

    def close(self) -> None:
        """Close the environment."""
        if self._env is not None:
            self._env.close()
        self._env = None

    def versions(self) -> dict[str, str]:
        """Return the versions of gymnasium and of the package that defines the environment."""
        return {"gymnasium": version("gymnasium"), **_version_of(self._spec)}

    def _make(self, params: GymParams) -> Any:
        import gymnasium

        drawn = {"render_mode": "ansi"} if "ansi" in _render_modes(self._spec) else {}
        made_with = drawn | params.make
        try:
            env = gymnasium.make(self._id, disable_env_checker=True, **made_with)
        except (gymnasium.error.Error, TypeError, ValueError) as error:
            raise ConfigError(f"gym:{self._id} cannot be made with {made_with}: {describe_error(error)}") from error
        for name in params.wrappers:
            env = _wrapper(name)(env)
        return env

    def _observe(self, seen: Any, info: dict[str, Any], reward: float = 0.0, end: EnvEnd | None = None) -> Observation:
        text = self._text(seen)
        if end is None:
            self._offered = self._numbered() or self._interface.offered(info, {})
            self._check_numbers()
        return Observation(text=text, actions=tuple(self._offered), reward=reward, end=end)

    def _numbered(self) -> dict[str, int]:
        """Return the number of each named action, if the actions of the environment are numbers."""
        names, space = self._interface.actions, self._env.action_space
        if not isinstance(names, tuple) or not hasattr(space, "n"):
            return {}
        first, count = int(getattr(space, "start", 0)), int(space.n)
        if len(names) != count:
            raise ConfigError(
                f"`actions` names {len(names)} actions, and gym:{self._id} has {count}, numbered from {first}: name "
                "all of them in the order of their numbers, or give each its number"
            )
        return {name: first + number for number, name in enumerate(names)}

    def _check_numbers(self) -> None:
        """Check that each action is one of the environment's, if these are numbers."""
        space = self._env.action_space
        wrong = [name for name, value in self._offered.items() if hasattr(space, "n") and not space.contains(value)]
        if wrong:
            raise ConfigError(
                f"gym:{self._id} has no action {self._offered[wrong[0]]!r} ({wrong[0]}): its actions are {space}"
            )

    def _text(self, seen: Any) -> str:
        text = as_text(seen, self._interface)
        if text is None and self._env.render_mode == "ansi":
            text = self._env.render()
        if not isinstance(text, str):
            raise ConfigError(
                f"gym:{self._id} gives no text: its observation is {_kind(seen)}; name the field to show "
                "(`interface: {text_from: FIELD}`), or a wrapper that makes a text (`wrappers: [package.module:Class]`)"
            )
        return plain_text(text)


def plain_text(text: str) -> str:
    """Return a text for a terminal without its escape sequences; what is colored is put in a tag of that color."""
    return OTHER_ESCAPES.sub("", COLORED.sub(_tagged, text)).rstrip()


def _tagged(colored: re.Match[str]) -> str:
    codes = [int(code) for code in colored[1].split(";") if code]
    color = next((COLORS[code % 10] for code in codes if 30 <= code <= 37 or 40 <= code <= 47), None)
    return f"<{color}>{colored[2]}</{color}>" if color else colored[2]


def _kind(seen: Any) -> str:
    if isinstance(seen, dict):
        return f"a dictionary with the fields {', '.join(map(str, seen))}"
    return f"of type {type(seen).__name__}"


def _find_spec(address: str) -> Any:
    try:
        import gymnasium
    except ModuleNotFoundError as error:
        raise MissingExtraError("gym:", "meta", str(error)) from error
    module, colon, id_ = address.rpartition(":")
    try:
        if colon:
            importlib.import_module(module)
        return gymnasium.spec(id_)
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"gym:{address}: module {error.name!r} cannot be found; install its package, or add its folder to "
            "PYTHONPATH"
        ) from error
    except gymnasium.error.Error as error:
        raise ConfigError(
            f"gym:{address}: {describe_error(error).rstrip('.')}; correct the id, or install the package that "
            "registers it and name its module: gym:MODULE:ID"
        ) from error
    except Exception as error:
        raise PluginError(f"gym:{address}: importing {module!r} failed: {describe_error(error)}") from error


def _entry_point(spec: Any) -> Any:
    """Return the class or function that makes an environment."""
    if not isinstance(spec.entry_point, str):
        return spec.entry_point
    import gymnasium

    module, _, name = spec.entry_point.partition(":")
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, gymnasium.error.Error) as error:
        raise ConfigError(f"gym:{spec.id} cannot be imported: {describe_error(error)}") from error


def _render_modes(spec: Any) -> list[str]:
    return list(getattr(_entry_point(spec), "metadata", {}).get("render_modes", ()))


def _wrapper(name: str) -> Any:
    module, _, attribute = name.partition(":")
    try:
        return getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise ConfigError(f"wrapper {name!r} cannot be imported: {error}; write package.module:Class") from error


def _version_of(spec: Any) -> dict[str, str]:
    """Return the version of the distribution that defines an environment; of a module of the user's, its digest."""
    module = str(getattr(_entry_point(spec), "__module__", ""))
    package = module.partition(".")[0]
    return {name: version(name) for name in _distributions().get(package, ())} or dict(_digest_of_module(module))


def _digest_of_module(module: str) -> Iterator[tuple[str, str]]:
    file = getattr(sys.modules.get(module), "__file__", None)
    if file:
        yield module, f"sha256:{hashlib.sha256(Path(file).read_bytes()).hexdigest()}"


@cache
def _distributions() -> dict[str, list[str]]:
    return {package: sorted(set(names)) for package, names in packages_distributions().items()}

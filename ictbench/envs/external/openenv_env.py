"""OpenEnv servers as a `TextEnv`: `openenv:URL`.

The seed of a task goes to `reset`. Fields are those of the observation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from ictbench.envs.external.interface import ExternalParams, as_text, require
from ictbench.envs.external.openenv_client import OpenEnvClient
from ictbench.envs.text_env import TextEnv
from ictbench.errors import ConfigError, PluginError
from ictbench.records import Observation

if TYPE_CHECKING:
    from ictbench.records import EnvEnd, Task

SECONDS = 120.0
"""Time for an answer of the server."""


class OpenEnvParams(ExternalParams):
    """Params of the tasks of an OpenEnv server."""

    reset: dict[str, Any] = Field(default_factory=dict)
    """Arguments of `reset` besides the seed."""
    action: str | None = None
    """Field of the server's action that an action of the agent fills. None if it has only one."""


class OpenEnvEnv(TextEnv):
    """Session of one OpenEnv server."""

    addressed: ClassVar[bool] = True

    def __init__(self, address: str) -> None:
        """Check the address.

        Raises:
            ConfigError: It is not the URL of a server.
        """
        self._url = address
        self._client = OpenEnvClient(address, SECONDS)
        self._params = OpenEnvParams()
        self._offered: dict[str, Any] = {}
        self._action_field = ""
        """Empty where each action is a whole message, and before the first task."""
        self._only_field: str | None = None
        self._versions: dict[str, str] | None = None

    def reset(self, task: Task) -> Observation:
        """Start the episode of the task's seed.

        Raises:
            ConfigError: The suite lacks what the server does not say.
            EnvError: The server does not answer.
            PluginError: The server rejects the task.
        """
        self._params = OpenEnvParams.of(task)
        self._action_field = self._params.action or ""
        if not self._action_field and not self._params.interface.whole_messages:
            self._action_field = self._only_action_field()
        answer = self._client.ask("reset", {"seed": self._params.seed, **self._params.reset})
        require(self._params.interface, f"openenv:{self._url}", _fields(answer), knows_actions=False)
        return self._observe(answer)

    def step(self, action: str) -> Observation:
        """Execute one action. An episode that the server ends without success ends as `env_ended`."""
        given = self._offered[action]
        answer = self._client.ask("step", given if isinstance(given, dict) else {self._action_field: given})
        reward, ended = float(answer.get("reward") or 0.0), bool(answer.get("done"))
        end: EnvEnd | None = "env_ended" if ended else None
        if self._params.interface.is_solved(_fields(answer), reward, ended):
            end = "solved"
        return self._observe(answer, reward, end)

    def close(self) -> None:
        """End the session."""
        self._client.close()

    def versions(self) -> dict[str, str]:
        """Return name and version of the environment, as the server states them."""
        if self._versions is None:
            stated = self._client.get("metadata")
            if not isinstance(stated, dict) or not stated.get("name"):
                raise PluginError(f"openenv:{self._url} states no name and version of its environment (/metadata)")
            self._versions = {str(stated["name"]): str(stated.get("version") or "unknown")}
        return self._versions

    def _observe(self, answer: dict[str, Any], reward: float = 0.0, end: EnvEnd | None = None) -> Observation:
        fields, interface = _fields(answer), self._params.interface
        text = as_text(fields, interface)
        if text is None:
            raise ConfigError(
                f"openenv:{self._url} gives no text, or several: name the field to show (`interface: {{text_from: "
                f"FIELD}}`; fields: {', '.join(fields)})"
            )
        if end is None:
            self._offered = interface.offered(fields, {})
        return Observation(text=text, actions=tuple(self._offered), reward=reward, end=end)

    def _only_action_field(self) -> str:
        """Return the only field of the server's actions."""
        if self._only_field is not None:
            return self._only_field
        schema = self._client.get("schema") or {}
        fields = [name for name in schema.get("action", {}).get("properties", ()) if name != "metadata"]
        if len(fields) != 1:
            raise ConfigError(
                f"openenv:{self._url} has actions with the fields {', '.join(fields) or 'none'}: name the one that the "
                "agent's action fills, `action: FIELD`, in the params of the suite"
            )
        self._only_field = str(fields[0])
        return self._only_field


def _fields(answer: dict[str, Any]) -> dict[str, Any]:
    return dict(answer.get("observation") or {})

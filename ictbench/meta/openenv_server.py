"""OpenEnv server of the meta-environment: clients send prompts over a WebSocket and receive experience.

Importing this module needs the extra `openenv`.
"""

from __future__ import annotations

import asyncio
import functools
import socket
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Literal, Unpack
from weakref import WeakSet

from pydantic import Field

from ictbench._version import __version__
from ictbench.errors import ConfigError, MissingExtraError, RunError, UsageError
from ictbench.meta.meta_env import MetaEnv

try:
    import uvicorn
    from openenv.core import Action, Environment, Observation, State, create_fastapi_app
    from openenv.core.env_server.types import EnvironmentMetadata
    from starlette.websockets import WebSocketDisconnect
except ModuleNotFoundError as error:
    raise MissingExtraError("the OpenEnv server", "openenv", str(error)) from error

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fastapi import FastAPI

    from ictbench.runs.option_types import MetaOptions


SHUTDOWN_SECONDS = 5
"""Time that clients have to leave when the server stops."""


class PromptAction(Action):  # type: ignore[misc]
    """A system prompt for the actor."""

    prompt: str = Field(description="The prompt that the actor follows.")
    pool: Literal["experience", "selection", "test"] = Field(
        default="experience",
        description="experience plays the next batch of the loop; selection and test score the prompt on the loop's "
        "fixed tasks of that pool, which uses no turn and shows no episodes.",
    )


class PromptObservation(Observation):  # type: ignore[misc]
    """What a client may show to its reflector: neither task ids nor seeds."""

    text: str = Field(description="After a reset the introduction, after a batch its episodes, after a scoring empty.")
    prompt: str = Field(description="The prompt that was played; after a reset prompt[0], the suite's own.")
    pool: Literal["", "experience", "selection", "test"] = Field(
        description="Pool of the tasks that were played; empty after a reset."
    )
    turn: int = Field(description="Number of turns played.")
    turns: int = Field(description="Number of turns of the loop.")
    solved: list[bool] = Field(description="Whether each task was solved, in their order.")


class LoopState(State):  # type: ignore[misc]
    """Place in the protocol, for programs: a reflector must not see it."""

    suite: str
    family: str
    actor: str
    loop: int | None = Field(default=None, description="Index of the loop; none before the first reset.")
    turns: int
    task_ids: list[str] = Field(default_factory=list, description="Tasks of the last batch, for `reset`.")


class OpenEnvMetaEnv(Environment):  # type: ignore[misc]
    """The meta-environment behind OpenEnv's interface. Every client has one of its own.

    Attributes:
        opened: Environments of one server; each adds itself.
    """

    SUPPORTS_CONCURRENT_SESSIONS = True

    def __init__(
        self, opened: WeakSet[OpenEnvMetaEnv], suite: str, family: str, *, actor: str, **options: Unpack[MetaOptions]
    ) -> None:
        super().__init__()
        self._env = MetaEnv(suite, family, actor=actor, **options)
        self._state = LoopState(suite=suite, family=self._env.family, actor=actor, turns=self._env.turns)
        opened.add(self)

    def reset(
        self,
        seed: int | None = None,
        episode_id: str | None = None,
        task_ids: Sequence[str] | None = None,
        **unknown: Any,
    ) -> PromptObservation:
        """Start a loop.

        Args:
            seed: Index of the loop; None draws one.
            episode_id: Any name, which the state repeats.
            task_ids: Tasks that every turn plays instead of those of the loop.
            unknown: Refused. OpenEnv would drop what has no parameter, and a misspelt seed would be a random one.

        Raises:
            UsageError: An argument is unknown or invalid.
        """
        if unknown:
            raise ConfigError(f"reset has no argument {min(unknown)!r} (arguments: seed, episode_id, task_ids)")
        if not (seed is None or (isinstance(seed, int) and not isinstance(seed, bool) and seed >= 0)):
            raise ConfigError(f"the seed must be a whole number of at least 0, not {seed!r}")
        text, info = self._env.reset(seed=seed, options=None if task_ids is None else {"task_ids": task_ids})
        self._state = self._state.model_copy(
            update={"episode_id": episode_id, "step_count": 0, "loop": info["loop"], "task_ids": []}
        )
        return self._observation(text, info["prompt"], "", [], reward=None)

    def step(self, action: PromptAction, timeout_s: float | None = None, **unused: Any) -> PromptObservation:
        """Play the next batch under a prompt, or score the prompt.

        Args:
            action: The prompt and the pool.
            timeout_s: Refused if given: an episode that was cut would be neither solved nor failed.
            unused: Ignored; OpenEnv declares it.

        Raises:
            UsageError: The prompt is invalid, or no loop is in progress.
            InfrastructureError, RunError: As in `MetaEnv.step`; the turn is not over and can be tried again.
        """
        if timeout_s is not None:
            raise ConfigError("timeout_s is not supported; start the server with request_timeout or max_time instead")
        try:
            return self._play(action)
        except asyncio.CancelledError as error:
            raise RunError("the server is stopping; the turn was not played") from error

    def _play(self, action: PromptAction) -> PromptObservation:
        if action.pool != "experience":
            batch = self._env.evaluate(action.prompt, action.pool)
            return self._observation("", action.prompt, action.pool, batch.solved, batch.success_rate)
        text, reward, _, _, info = self._env.step(action.prompt)
        self._state = self._state.model_copy(update={"step_count": info["turn"], "task_ids": list(info["task_ids"])})
        return self._observation(text, action.prompt, "experience", info["solved"], reward)

    @property
    def state(self) -> LoopState:
        """Place in the protocol."""
        return self._state

    def get_metadata(self) -> EnvironmentMetadata:
        """Return name, description and version of the environment."""
        return EnvironmentMetadata(
            name=f"ictbench {self._state.suite} {self._state.family}",
            description="In-context training: the action is the system prompt of an agent, the observation is what the "
            "agent experienced under it, and the reward is the share of its episodes that were solved.",
            version=__version__,
        )

    def close(self) -> None:
        """End models, workers and the background thread."""
        self._env.close()

    def _observation(
        self, text: str, prompt: str, pool: str, solved: Sequence[bool], reward: float | None
    ) -> PromptObservation:
        turn, turns = self._state.step_count, self._state.turns
        return PromptObservation(
            text=text,
            prompt=prompt,
            pool=pool,
            turn=turn,
            turns=turns,
            solved=list(solved),
            reward=reward,
            done=turn == turns,
        )


def openenv_app(
    suite: str = "minihack-v1",
    family: str = "eat",
    *,
    actor: str = "rules",
    sessions: int = 1,
    **options: Unpack[MetaOptions],
) -> FastAPI:
    """Return the server of one family as an ASGI application, for `uvicorn.run(app, port=8000)`.

    Args:
        suite: Name or YAML file of the suite.
        family: Name of the family.
        actor: The actor, as in `ictbench run --actor`.
        sessions: Number of clients at a time. Each has an environment, models and limits of its own.
        options: Options of `MetaEnv`.

    Raises:
        UsageError: An option is unknown or invalid, or the actor cannot be used on this machine.
    """
    if sessions < 1:
        raise ConfigError(f"sessions must be at least 1, not {sessions}")
    if sessions > 1 and options.get("executor", "inline") == "inline":
        raise UsageError(
            f"{sessions} sessions at a time need worker processes, because games do not share a process; "
            "choose the executor process"
        )
    opened: WeakSet[OpenEnvMetaEnv] = WeakSet()
    factory = functools.partial(OpenEnvMetaEnv, opened, suite, family, actor=actor, **options)
    # OpenEnv tells a client nothing about an environment that cannot be made: find out now.
    factory().close()
    app = create_fastapi_app(factory, PromptAction, PromptObservation, max_concurrent_envs=sessions)
    app.add_middleware(_QuietDisconnect)
    app.state.opened = opened
    return app


def serve(app: FastAPI, host: str, port: int, on_start: Callable[[str], object]) -> None:
    """Serve until Ctrl-C or SIGTERM; episodes in progress are cancelled.

    Args:
        app: What `openenv_app` returned.
        host: Address to listen on.
        port: Port to listen on; 0 chooses a free one.
        on_start: Called with the URL.

    Raises:
        ConfigError: The address is not available.
    """
    try:
        listener = socket.create_server((host, port))
    except OSError as error:
        raise ConfigError(f"{host}:{port} is not available ({error.strerror}); choose another --port") from error
    server = _Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=SHUTDOWN_SECONDS))
    with listener, suppress(KeyboardInterrupt):
        on_start(f"http://{host}:{listener.getsockname()[1]}")
        server.run(sockets=[listener])


class _Server(uvicorn.Server):  # type: ignore[misc]
    """Server that cancels what is being played before it waits for its clients."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close the environments of all clients, then the server."""
        for env in list(self.config.app.state.opened):
            await asyncio.to_thread(env.close)
        await super().shutdown(sockets)


class _QuietDisconnect:
    """ASGI middleware against a traceback for every client that leaves: OpenEnv closes a closed connection again."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        with suppress(WebSocketDisconnect):
            await self._app(scope, receive, send)

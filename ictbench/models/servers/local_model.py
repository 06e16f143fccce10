"""Models on a model server of your own: a running one is attached to, otherwise one is launched and supervised."""

from __future__ import annotations

import asyncio
import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field, JsonValue, field_validator

from ictbench.errors import ConfigError, TransientModelError
from ictbench.models.adaptation import adapt_parameters
from ictbench.models.chat_model import ChatModel, Completion, ConstraintStyle
from ictbench.models.http import JsonClient
from ictbench.models.model_options import EXTRA_BODY, request_parameters
from ictbench.models.providers.openai import OpenAIModel
from ictbench.models.providers.openai_messages import openai_messages
from ictbench.models.redact import read_header
from ictbench.models.servers.launch import ServerProcess
from ictbench.models.weights_digest import weights_digest
from ictbench.records import Record

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ictbench.models.chat_model import Constraint, Message
    from ictbench.models.servers.launch import LaunchSpec
    from ictbench.records import ModelSpec


class LaunchOptions(Record):
    """Options of every launched server."""

    server_args: tuple[str, ...] = ()
    """Additional command-line arguments, put last: a list, or one string that is split as a shell would."""
    start_seconds: float | None = Field(default=None, gt=0)
    """Seconds that loading the model may take."""
    extra_body: dict[str, JsonValue] = Field(default_factory=dict)
    """Parameters of each request, e.g. `top_k`; also for a running server."""

    @field_validator("server_args", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        if isinstance(value, str):
            return shlex.split(value)
        return [str(part) for part in value] if isinstance(value, list | tuple) else value


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A running server, as another process can use it."""

    url: str
    model: str
    """Name of the model in requests."""
    key: str = field(repr=False)
    key_variable: str
    """Environment variable from which a model reads the key."""


class LocalModel(OpenAIModel):
    """A model behind an OpenAI-compatible server of your own.

    The first `complete`, or `start`, launches the server; `aclose` of the last model that uses it stops it. Models
    that differ only in their sampling share one server.
    """

    capabilities = frozenset({ConstraintStyle.GRAMMAR, ConstraintStyle.JSON})
    prefill_parameters: ClassVar[dict[str, Any]] = {}
    free_parameters: ClassVar[dict[str, Any]] = {}
    """Parameters of requests without a constraint; those of the user take precedence."""
    """Request parameters that make the server continue a last assistant message, if `supports_prefill`."""
    min_timeout = 0.0
    """Seconds that a request to a launched server may take at least, whatever the spec says."""

    def __init__(self, spec: ModelSpec, *, base_url: str | None, key_variable: str) -> None:
        """Check the spec and, if a server is to be launched, that this is possible.

        Args:
            spec: The model.
            base_url: Base URL of a running server; None to launch one.
            key_variable: The environment variable with the server's API key, if it has one.

        Raises:
            UsageError: The spec cannot work.
        """
        # Not OpenAIModel's constructor, as OpenAI's key must not be sent to another server.
        ChatModel.__init__(self, spec)
        self._is_reasoning_model = False
        self._key_variable = key_variable
        if base_url and (names := ", ".join(sorted(spec.options.keys() - {EXTRA_BODY}))):
            raise ConfigError(
                f"{spec.name} uses the running server {base_url}, but the options {names} are for a launched server; "
                f"remove them or the base URL, or put parameters of requests under {EXTRA_BODY!r}"
            )
        if spec.model.startswith("-"):
            # It is an argument on the server's command line.
            raise ConfigError(f"{spec.model!r} is not the name of a model; write a file or folder as ./{spec.model}")
        own = {name: value for name, value in spec.options.items() if name == EXTRA_BODY}
        self._parameters = request_parameters(spec, own)
        base_url = (base_url or "").strip()
        self._base_url = base_url
        self._served_name = spec.model
        self._launch: LaunchSpec | None = None
        self._weights: tuple[Path, ...] = ()
        self._server: ServerProcess | None = None
        self._start_lock = asyncio.Lock()
        self._closed = False
        if base_url:
            self._connect(base_url, spec.timeout, read_header(key_variable))
        else:
            self._launch = self.launch_spec()

    def launch_spec(self) -> LaunchSpec:
        """Return how to launch the server; may set `_served_name` and `_weights`.

        Raises:
            UsageError: It cannot be launched with these options, or on this machine.
        """
        raise NotImplementedError

    async def start(self) -> None:
        """Launch the server, unless one is attached to or running, and wait until it is healthy.

        Raises:
            EndpointRefusedError: The server does not start.
            TransientModelError: The model was closed while the server started.
            UsageError: The weights or the API key cannot be read.
        """
        async with self._start_lock:
            if self._launch is None or self._server is not None:
                return
            await asyncio.gather(*(asyncio.to_thread(weights_digest, path) for path in self._weights))
            server = await ServerProcess.acquire(self._launch)
            if self._closed:
                await server.release()
                raise TransientModelError("connection", f"{self.spec.name} was closed while its server started")
            self._server = server
            self._connect(server.url, max(self.spec.timeout, self.min_timeout), server.key)

    async def complete(
        self, messages: Sequence[Message], *, seed: int | None = None, constraint: Constraint | None = None
    ) -> Completion:
        """Request one completion; the first call launches the server. See `ChatModel.complete`."""
        await self.start()
        free = {} if constraint else self.free_parameters
        body = {"model": self._served_name, "messages": openai_messages(messages), **free, **self._sampling(seed)}
        if messages and messages[-1]["role"] == "assistant":
            body |= self.prefill_parameters
        if constraint:
            body |= self._constrain(constraint)
        body = adapt_parameters(body, self.spec.adaptation)
        try:
            return await self._client.post("chat/completions", body, self._read)
        except TransientModelError as error:
            if error.kind != "connection" or self._server is None or not await self._server.wait_for_exit():
                raise
            message = f"the server of {self.spec.name} has exited: {self._server.log_summary()}"
            raise TransientModelError("connection", message) from error

    @property
    def endpoint(self) -> Endpoint:
        """The server that `start` launched.

        Raises:
            RuntimeError: There is none.
        """
        if self._server is None:
            raise RuntimeError(f"the server of {self.spec.name} is not running")
        return Endpoint(self._server.url, self._served_name, self._server.key, self._key_variable)

    @property
    def is_remote(self) -> bool:
        """Whether a running server is attached to; a launched one stops with its model."""
        return self._launch is None

    @property
    def address(self) -> str:
        """The base URL of a running server; `launched` for a launched one, whose port means nothing."""
        return "launched" if self._launch else self._base_url

    @property
    def known_fingerprint(self) -> str | None:
        """Digests of the weights, if the server is launched with local weights.

        They are computed when the server is started, or read here if that has not happened yet.
        """
        return "+".join(map(weights_digest, self._weights)) or None

    @property
    def fingerprint(self) -> str | None:
        """Digests of the weights, else the model name in the last reply."""
        return self.known_fingerprint or self._fingerprint

    async def aclose(self) -> None:
        """Close connections, and stop a launched server if no other model uses it."""
        self._closed = True
        if self._launch is None or self._server is not None:
            await self._client.aclose()
        server, self._server = self._server, None
        if server is not None:
            await server.release()

    def _connect(self, base_url: str, timeout: float, key: str) -> None:
        self._client = JsonClient(
            base_url,
            headers={"Authorization": f"Bearer {key}"} if key else {},
            timeout=timeout,
            hints={
                401: f"check {self._key_variable}",
                403: f"check {self._key_variable}",
                404: f"check the model name {self._served_name!r} and the base URL",
            },
            secrets=(key,),
        )

    def _constrain(self, constraint: Constraint) -> dict[str, Any]:
        """Return the request parameters that impose a constraint on this server."""
        raise NotImplementedError

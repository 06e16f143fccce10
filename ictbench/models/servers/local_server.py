"""Models on a server of one's own: attached to where there is an address, launched and supervised otherwise."""

from __future__ import annotations

import asyncio
import os
import shlex
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from pydantic import Field, ValidationError, field_validator

from ictbench.errors import ConfigError, TransientModelError, UsageError
from ictbench.models.chat_model import ChatModel, Completion, ConstraintStyle
from ictbench.models.http import JsonClient
from ictbench.models.providers.openai import OpenAIModel
from ictbench.models.providers.openai_messages import openai_messages
from ictbench.models.servers.launch import Server
from ictbench.models.weights_digest import weights_digest
from ictbench.records import Record

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ictbench.models.chat_model import Constraint, Message
    from ictbench.models.servers.launch import Launch
    from ictbench.records import ModelSpec


class LaunchOptions(Record):
    """What a spec's options may say about any server that is launched."""

    server_args: tuple[str, ...] = ()
    """Further arguments of its command line, put last: a list, or one text as for a shell."""
    start_seconds: float | None = Field(default=None, gt=0)
    """How long it may take to load the model."""

    @field_validator("server_args", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        if isinstance(value, str):
            return shlex.split(value)
        return [str(part) for part in value] if isinstance(value, list | tuple) else value


Options = TypeVar("Options", bound=Record)


def parse_options(spec: ModelSpec, kind: type[Options]) -> Options:
    """The spec's options.

    Raises:
        ConfigError: an unknown option, or a value that does not fit.
    """
    try:
        return kind.model_validate(spec.options)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        known = ", ".join(kind.model_fields)
        raise ConfigError(f"{spec.name}: option {where!r}: {first['msg']}; options are {known}") from None


class LocalModel(OpenAIModel):
    """A model behind an OpenAI-compatible server of one's own.

    The server is launched at the first `complete`, or at `start`, and stopped at `aclose` by the last who uses it;
    models that differ only in their sampling share one.
    """

    capabilities = frozenset({ConstraintStyle.GRAMMAR, ConstraintStyle.JSON})
    continuation: ClassVar[dict[str, Any]] = {}
    """Parameters by which the server goes on with a last message of the assistant's, where `supports_prefill`."""
    slowest = 0.0
    """Seconds that one request to a launched server may take at least, whatever the spec says."""

    def __init__(self, spec: ModelSpec, *, base_url: str | None, key_variable: str) -> None:
        """Check the spec and, where a server is to be launched, that it can be.

        Args:
            spec: the model.
            base_url: of a running server; None to launch one.
            key_variable: the environment variable that may hold the server's key.

        Raises:
            UsageError: the spec cannot work.
        """
        # Not OpenAIModel's, whose key and address are OpenAI's and must not reach another server.
        ChatModel.__init__(self, spec)
        self._reasoning = False
        self._key_variable = key_variable
        if base_url and spec.options:
            given = ", ".join(sorted(spec.options))
            raise ConfigError(f"{spec.name} is attached to {base_url}: {given} would be for a server launched here")
        self._base_url = base_url or ""
        self._served = spec.model
        self._launch: Launch | None = None
        self._weights: tuple[Path, ...] = ()
        self._server: Server | None = None
        self._starting = asyncio.Lock()
        self._closed = False
        if base_url:
            self._connect(base_url, spec.timeout)
        else:
            self._launch = self.launch()

    def launch(self) -> Launch:
        """How to start the server; may set the name it serves the model under, and the weights that identify it.

        Raises:
            UsageError: it cannot be started with these options, or not on this machine.
        """
        raise NotImplementedError

    async def start(self) -> None:
        """Launch the server, if there is one to launch, and wait until it is healthy.

        Raises:
            EndpointRefusedError: it does not start.
            TransientModelError: the model was closed meanwhile.
            UsageError: the weights or the key cannot be read.
        """
        async with self._starting:
            if self._launch is None or self._server is not None:
                return
            await asyncio.gather(*(asyncio.to_thread(weights_digest, path) for path in self._weights))
            server = await Server.acquire(self._launch)
            if self._closed:
                await server.release()
                raise TransientModelError("connection", f"{self.spec.name} was closed while its server started")
            self._server = server
            self._connect(self._server.url, max(self.spec.timeout, self.slowest))

    async def complete(
        self, messages: Sequence[Message], *, seed: int | None = None, constraint: Constraint | None = None
    ) -> Completion:
        """Answer `messages`, in one try; the first one launches the server.

        Raises:
            ModelFailure: bad_request, context_overflow, refused or empty.
            TransientModelError: another try may succeed.
            EndpointRefusedError: the server refuses this key or model, or does not start.
        """
        await self.start()
        body = {"model": self._served, "messages": openai_messages(messages), **self._sampling(seed)}
        if messages and messages[-1]["role"] == "assistant":
            body |= self.continuation
        if constraint:
            body |= self._constrained(constraint)
        try:
            return await self._transport.post("chat/completions", body, self._read)
        except TransientModelError as error:
            if error.kind != "connection" or self._server is None or not await self._server.has_ended():
                raise
            ended = f"the server of {self.spec.name} has ended: {self._server.last_words()}"
            raise TransientModelError("connection", ended) from error

    @property
    def is_remote(self) -> bool:
        """Where it is attached to; a server launched here is stopped with its model."""
        return self._launch is None

    @property
    def address(self) -> str:
        """The base URL of a server attached to; a launched one's port means nothing."""
        return "launched" if self._launch else self._base_url

    @property
    def known_fingerprint(self) -> str | None:
        """Digests of the weights, where the server is launched on weights that lie on this machine.

        They are known once the server is started; to ask earlier reads the weights there and then.
        """
        return "+".join(map(weights_digest, self._weights)) or None

    @property
    def fingerprint(self) -> str | None:
        """The weights' digests, else the model that the last reply named."""
        return self.known_fingerprint or self._fingerprint

    async def aclose(self) -> None:
        """Close connections; the last to use a launched server stops it."""
        self._closed = True
        if self._launch is None or self._server is not None:
            await self._transport.aclose()
        server, self._server = self._server, None
        if server is not None:
            await server.release()

    def _connect(self, base_url: str, timeout: float) -> None:
        key = os.environ.get(self._key_variable, "").strip()
        if not (key.isascii() and key.isprintable()):
            raise UsageError(f"{self._key_variable} holds characters that no key has; set it again")
        self._transport = JsonClient(
            base_url,
            headers={"Authorization": f"Bearer {key}"} if key else {},
            timeout=timeout,
            hints={
                401: f"check {self._key_variable}",
                403: f"check {self._key_variable}",
                404: f"check the model name {self._served!r} and the base URL",
            },
            secret=key or None,
        )

    def _sampling(self, seed: int | None) -> dict[str, Any]:
        sampling = {"max_tokens": self.spec.max_tokens, "temperature": self.spec.temperature, "seed": seed}
        return {name: value for name, value in sampling.items() if value is not None}

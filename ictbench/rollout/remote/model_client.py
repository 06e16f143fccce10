"""A worker's side of what its coordinator alone decides: leave to send a request, and models that exist once."""

from __future__ import annotations

import asyncio
import itertools
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from ictbench.models import ChatModel, Completion, Constraint, ConstraintStyle, ModelPool
from ictbench.models.usage_meter import WaitingTimer, request_priority, waiting_clock
from ictbench.records import ModelSpec, Usage
from ictbench.rollout.remote.error_codec import error_from_json

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Sequence

    from ictbench.models import Message as ChatMessage
    from ictbench.models.response_cache import ResponseCache
    from ictbench.rollout.remote.framing import Channel, Message


class CoordinatorClient:
    """The far end of a worker's channel: questions to it, and its answers."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._numbers = itertools.count()
        self._asked: dict[int, asyncio.Future[tuple[Message, bytes]]] = {}

    async def ask(self, kind: str, body: bytes = b"", **fields: Any) -> tuple[int, Message, bytes]:
        """Ask, and return the number of the question with the answer.

        Raises:
            IctbenchError: the answer is an error.
        """
        number = next(self._numbers)
        self._asked[number] = asyncio.get_running_loop().create_future()
        self._channel.send(kind, body, number=number, priority=request_priority.get(), **fields)
        try:
            message, answer = await self._asked[number]
        except asyncio.CancelledError:
            self.tell("forget", number=number)
            raise
        finally:
            del self._asked[number]
        if "error" in message:
            raise error_from_json(message)
        return number, message, answer

    def tell(self, kind: str, **fields: Any) -> None:
        """Say something that needs no answer."""
        self._channel.send(kind, **fields)

    def answered(self, message: Message, body: bytes) -> None:
        """Take the answer to a question; one that was given up needs none."""
        question = self._asked.get(message["number"])
        if question is not None and not question.done():
            question.set_result((message, body))


class RemoteGate:
    """The far end of the coordinator's `UsageMeter`: every request asks for leave."""

    def __init__(self, coordinator: CoordinatorClient) -> None:
        self._coordinator = coordinator

    @asynccontextmanager
    async def request(self, tokens: int) -> AsyncIterator[None]:
        """See `RequestGate.request`."""
        with WaitingTimer():
            number, _, _ = await self._coordinator.ask("lease", tokens=tokens)
        try:
            yield
        finally:
            self._coordinator.tell("release", number=number)

    async def wait(self, seconds: float, reason: str) -> None:
        """See `RequestGate.wait`."""
        self._coordinator.tell("retrying", change=1, why=reason)
        try:
            with WaitingTimer():
                await asyncio.sleep(seconds)
        finally:
            self._coordinator.tell("retrying", change=-1)

    def count(self, usage: Usage) -> None:
        """See `RequestGate.count`."""
        self._coordinator.tell("count", usage=usage.model_dump(mode="json", exclude_defaults=True))


class RelayedModel(ChatModel):
    """A model that lives with the coordinator: every question goes there, retries and limits included."""

    def __init__(self, spec: ModelSpec, coordinator: CoordinatorClient, capabilities: Iterable[str]) -> None:
        super().__init__(spec)
        self.capabilities = frozenset(map(ConstraintStyle, capabilities))
        self._coordinator = coordinator

    async def complete(
        self, messages: Sequence[ChatMessage], *, seed: int | None = None, constraint: Constraint | None = None
    ) -> Completion:
        """See `ModelClient.complete`."""
        question = {
            "model": self.spec.model_dump(mode="json"),
            "messages": list(messages),
            "seed": seed,
            "constraint": constraint and [constraint.style, constraint.choices],
        }
        _, message, body = await self._coordinator.ask("complete", json.dumps(question).encode())
        clock = waiting_clock.get()
        if clock is not None:
            clock[0] += message["waited"]
        usage = Usage.model_validate(message["usage"])
        return Completion(body.decode(), usage, message["finish_reason"], tuple(message["calls"]))

    @property
    def fingerprint(self) -> str | None:
        """None: the coordinator knows it."""
        return None

    async def aclose(self) -> None:
        """Nothing is open here."""


class RemoteModels:
    """The models of a worker: opened here where they travel, relayed where they do not."""

    def __init__(self, coordinator: CoordinatorClient, cache: ResponseCache | None) -> None:
        self._coordinator = coordinator
        self._own = ModelPool(RemoteGate(coordinator), cache)
        self._relayed: dict[str, RelayedModel] = {}

    def open(self, spec: ModelSpec) -> ChatModel:
        """The one model of a spec."""
        return self._relayed.get(spec.model_dump_json()) or self._own.open(spec)

    def relay(self, spec: ModelSpec, capabilities: Iterable[str]) -> None:
        """Have a model's questions answered by the coordinator."""
        key = spec.model_dump_json()
        if key not in self._relayed:
            self._relayed[key] = RelayedModel(spec, self._coordinator, capabilities)

    async def aclose(self) -> None:
        """Close those opened here."""
        await self._own.aclose()

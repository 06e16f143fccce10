"""Worker side of what only the coordinator decides: leases for requests, and models that exist once."""

from __future__ import annotations

import asyncio
import itertools
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from ictbench.models import ChatModel, Completion, Constraint, ConstraintStyle, ModelPool
from ictbench.models.usage_meter import WaitingTimer, request_priority, waiting_clock
from ictbench.records import ModelSpec, Usage
from ictbench.rollout.remote.borrowed_slots import BorrowedSlots
from ictbench.rollout.remote.error_codec import error_from_json

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Sequence

    from ictbench.models import Message as ChatMessage
    from ictbench.models.response_cache import ResponseCache
    from ictbench.rollout.remote.framing import Channel, Message

REPORT_SECONDS = 0.02
"""Longest time for which a worker collects usage and numbers of requests before it reports them."""


class RemoteModels:
    """Models of a worker: opened here if they are remote, relayed to the coordinator if they exist only there."""

    def __init__(self, coordinator: CoordinatorClient, cache: ResponseCache | None) -> None:
        self._coordinator = coordinator
        self.gate = RemoteGate(coordinator)
        self._opened = ModelPool(self.gate, cache)
        self._relayed: dict[str, RelayedModel] = {}

    def open(self, spec: ModelSpec) -> ChatModel:
        """Return the model of `spec`, opened once."""
        return self._relayed.get(spec.model_dump_json()) or self._opened.open(spec)

    def relay(self, spec: ModelSpec, capabilities: Iterable[str]) -> None:
        """Let the coordinator answer the requests to a model."""
        key = spec.model_dump_json()
        if key not in self._relayed:
            self._relayed[key] = RelayedModel(spec, self._coordinator, capabilities)

    async def aclose(self) -> None:
        """Close the models that were opened here."""
        await self._opened.aclose()


class RemoteGate:
    """`RequestGate` of a worker, which shares the coordinator's `UsageMeter` with other workers.

    A request takes one of the worker's borrowed slots, or, with limits on rates, tokens or cost, asks the coordinator
    for a lease.
    """

    def __init__(self, coordinator: CoordinatorClient) -> None:
        self.needs_leases = False
        self.slots = BorrowedSlots(self._changed)
        self._coordinator = coordinator
        self._limit: Exception | None = None
        self._usages: list[Usage] = []
        """Usage that is not reported yet."""
        self._unreported_by = ""
        self._report: asyncio.Handle | None = None
        self._report_is_urgent = False

    @asynccontextmanager
    async def request(self, tokens: int, unanswered: Callable[[], Usage] | None = None) -> AsyncIterator[None]:
        """See `RequestGate.request`."""
        if self._limit is not None:
            raise self._limit
        if self.needs_leases:
            with WaitingTimer():
                at_stake = unanswered().model_dump(mode="json", exclude_defaults=True) if unanswered else None
                number, _, _ = await self._coordinator.request("lease", tokens=tokens, unanswered=at_stake)
            try:
                yield
            finally:
                self._coordinator.notify("release", number=number)
            return
        priority = request_priority.get()
        if not self.slots.try_acquire(priority):
            with WaitingTimer():
                await self.slots.acquire(priority)
        try:
            yield
        finally:
            self.slots.release(priority)

    def stop(self, error: Exception) -> None:
        """Raise an error in all requests that wait and in all later ones: a limit of the whole run is reached."""
        self._limit = error
        self.slots.fail(error)

    async def wait(self, seconds: float, reason: str) -> None:
        """See `RequestGate.wait`."""
        self._coordinator.notify("retrying", change=1, reason=reason)
        try:
            with WaitingTimer():
                await asyncio.sleep(seconds)
        finally:
            self._coordinator.notify("retrying", change=-1)

    def count(self, usage: Usage, unreported_by: str = "") -> None:
        """See `RequestGate.count`."""
        self._usages.append(usage)
        self._unreported_by = unreported_by or self._unreported_by
        if self.needs_leases:
            self.report()
        else:
            self._changed(False)

    def report(self) -> None:
        """Tell the coordinator of what has changed since the last report, if anything has."""
        if self._report is not None:
            self._report.cancel()
            self._report, self._report_is_urgent = None, False
        elif not self._usages:
            return
        fields: dict[str, Any] = {}
        if self._usages:
            fields["usage"] = Usage.total(self._usages).model_dump(mode="json", exclude_defaults=True)
            self._usages.clear()
        if self._unreported_by:
            fields["unreported_by"], self._unreported_by = self._unreported_by, ""
        slots = self.slots
        demand, returned = list(slots.demand.items()), slots.take_returned()
        self._coordinator.notify("report", running=slots.running, demand=demand, returned=returned, **fields)

    def _changed(self, urgent: bool) -> None:
        """Report at the end of this iteration of the event loop if it is urgent, else soon."""
        if self._report is not None and (self._report_is_urgent or not urgent):
            return
        loop = asyncio.get_running_loop()
        if self._report is not None:
            self._report.cancel()
        self._report = loop.call_soon(self.report) if urgent else loop.call_later(REPORT_SECONDS, self.report)
        self._report_is_urgent = urgent


class RelayedModel(ChatModel):
    """A model that exists only at the coordinator, which answers every request, with retries and limits."""

    def __init__(self, spec: ModelSpec, coordinator: CoordinatorClient, capabilities: Iterable[str]) -> None:
        super().__init__(spec)
        self.capabilities = frozenset(map(ConstraintStyle, capabilities))
        self._coordinator = coordinator

    async def complete(
        self, messages: Sequence[ChatMessage], *, seed: int | None = None, constraint: Constraint | None = None
    ) -> Completion:
        """See `ModelClient.complete`."""
        request = {
            "model": self.spec.model_dump(mode="json"),
            "messages": list(messages),
            "seed": seed,
            "constraint": constraint and [constraint.style, constraint.choices],
        }
        _, response, text = await self._coordinator.request("complete", json.dumps(request).encode())
        clock = waiting_clock.get()
        if clock is not None:
            clock[0] += response["waited"]
        usage = Usage.model_validate(response["usage"])
        return Completion(text.decode(), usage, response["finish_reason"], tuple(response["calls"]))

    @property
    def fingerprint(self) -> str | None:
        """None: the coordinator knows it."""
        return None

    async def aclose(self) -> None:
        """Do nothing: no connection is open here."""


class CoordinatorClient:
    """Requests of a worker to its coordinator, over the worker's channel."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._numbers = itertools.count()
        self._pending: dict[int, asyncio.Future[tuple[Message, bytes]]] = {}

    async def request(self, kind: str, body: bytes = b"", **fields: Any) -> tuple[int, Message, bytes]:
        """Send a request and return its number, the response and the body of the response.

        Raises:
            IctbenchError: The response is an error.
        """
        number = next(self._numbers)
        self._pending[number] = asyncio.get_running_loop().create_future()
        self._channel.send(kind, body, number=number, priority=request_priority.get(), **fields)
        try:
            response, response_body = await self._pending[number]
        except asyncio.CancelledError:
            self.notify("cancel_request", number=number)
            raise
        finally:
            del self._pending[number]
        if "error" in response:
            raise error_from_json(response)
        return number, response, response_body

    def notify(self, kind: str, **fields: Any) -> None:
        """Send a message that has no response."""
        self._channel.send(kind, **fields)

    def receive_response(self, response: Message, body: bytes) -> None:
        """Take the response to a request; drop it if the request was cancelled."""
        pending = self._pending.get(response["number"])
        if pending is not None and not pending.done():
            pending.set_result((response, body))

"""Coordinator side of models: grants workers leases for requests, and answers for models that exist once."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import json
from typing import TYPE_CHECKING, Any

from ictbench.errors import LimitReachedError
from ictbench.models import Constraint, ConstraintStyle
from ictbench.models.usage_meter import request_priority, waiting_clock
from ictbench.records import ModelSpec, Usage
from ictbench.rollout.remote.error_codec import error_to_json

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from ictbench.models import ModelPool, UsageMeter
    from ictbench.rollout.remote.framing import Channel, Message


class ModelServer:
    """Serves one worker. When the worker is gone, `close` returns everything it held."""

    def __init__(self, models: ModelPool, meter: UsageMeter, channel: Channel) -> None:
        self._models = models
        self._meter = meter
        self._channel = channel
        self._running: dict[int, asyncio.Task[None]] = {}
        """Leases and completions in progress, by number of the request."""
        self._released: dict[int, asyncio.Event] = {}
        """Set when the worker returns a lease, by number of the request."""
        self._unanswered: dict[int, Usage] = {}
        """What counts for each lease that the worker never returns, by number of the request."""
        self._retrying = 0
        self._closed = False
        self._slots = meter.connections.lend(self._offer)
        self._limit: asyncio.TimerHandle | None = None
        self._stop_at_time_limit()

    def handle(self, message: Message, body: bytes) -> None:
        """Handle a message of the worker. Once it is gone, only the usage it reports still counts."""
        if usage := message.get("usage"):
            self._meter.count(Usage.model_validate(usage), message.get("unreported_by", ""))
        if self._closed:
            return
        match message["kind"]:
            case "report":
                self._slots.report(message["running"], message["demand"], message["returned"])
            case "lease":
                self._start(message, functools.partial(self._lease, message=message))
            case "release":
                if event := self._released.get(message["number"]):
                    event.set()
            case "complete":
                self._start(message, functools.partial(self._complete, request=json.loads(body)))
            case "cancel_request":
                if task := self._running.get(message["number"]):
                    task.cancel()
            case "retrying":
                self._retrying += message["change"]
                self._meter.change_retrying(message["change"], message.get("reason", ""))

    def close(self) -> None:
        """Return everything that a lost worker held; messages that it sent before may still arrive."""
        if self._closed:
            return
        self._closed = True
        self._count_unanswered()
        self._slots.close()
        if self._limit is not None:
            self._limit.cancel()
        for task in self._running.values():
            task.cancel()
        self._meter.change_retrying(-self._retrying)
        self._retrying = 0

    def _count_unanswered(self) -> None:
        """Count the requests that were in flight at the worker: they may be billed all the same."""
        for usage in self._unanswered.values():
            self._meter.count(usage)
        if self._slots.running:
            self._meter.count(Usage(unreported=self._slots.running, cost=None))

    def _offer(self, gained: int, keep: int | None) -> None:
        self._channel.send("slots", gained=gained, keep=keep)

    def _stop_at_time_limit(self) -> None:
        """Tell the worker when --max-time is reached, if there is such a limit."""
        left = self._meter.seconds_left
        if left is None:
            return
        try:
            self._meter.check()
        except LimitReachedError as error:
            self._channel.send("limit", **error_to_json(error))
        else:
            self._limit = asyncio.get_running_loop().call_later(max(left, 0.01), self._stop_at_time_limit)

    def _start(self, message: Message, work: Callable[[int], Coroutine[Any, Any, None]]) -> None:
        number = message["number"]
        context = contextvars.copy_context()
        context.run(request_priority.set, message["priority"])
        self._running[number] = task = asyncio.create_task(self._run(number, work), context=context)
        task.add_done_callback(lambda _: self._running.pop(number))

    async def _run(self, number: int, work: Callable[[int], Coroutine[Any, Any, None]]) -> None:
        try:
            await work(number)
        except Exception as error:
            self._channel.send("response", number=number, **error_to_json(error))

    async def _lease(self, number: int, message: Message) -> None:
        self._released[number] = released = asyncio.Event()
        try:
            async with self._meter.request(message["tokens"]):
                if unanswered := message.get("unanswered"):
                    self._unanswered[number] = Usage.model_validate(unanswered)
                self._channel.send("response", number=number)
                await released.wait()
        finally:
            del self._released[number]
            self._unanswered.pop(number, None)

    async def _complete(self, number: int, request: dict[str, Any]) -> None:
        waiting_clock.set(clock := [0.0])
        constraint = request["constraint"]
        completion = await self._models.open(ModelSpec.model_validate(request["model"])).complete(
            request["messages"],
            seed=request["seed"],
            constraint=constraint and Constraint(ConstraintStyle(constraint[0]), tuple(constraint[1])),
        )
        usage = completion.usage.model_dump(mode="json")
        self._channel.send(
            "response",
            completion.text.encode(),
            number=number,
            usage=usage,
            finish_reason=completion.finish_reason,
            calls=completion.calls,
            waited=clock[0],
        )

"""The coordinator's side of models: gives workers leave to send requests, and answers for models that exist once."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import json
from typing import TYPE_CHECKING, Any

from ictbench.models import Constraint, ConstraintStyle
from ictbench.models.usage_meter import request_priority, waiting_clock
from ictbench.records import ModelSpec, Usage
from ictbench.rollout.remote.error_codec import error_to_json

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from ictbench.models import ModelPool, UsageMeter
    from ictbench.rollout.remote.framing import Channel, Message


class ModelServer:
    """Serves one worker. What it holds for the worker is given back when that worker is gone."""

    def __init__(self, models: ModelPool, meter: UsageMeter, channel: Channel) -> None:
        self._models = models
        self._meter = meter
        self._channel = channel
        self._work: dict[int, asyncio.Task[None]] = {}
        """Leases and questions in progress, by number."""
        self._released: dict[int, asyncio.Event] = {}
        self._retrying = 0
        self._closed = False

    def received(self, message: Message, body: bytes) -> bool:
        """Take a message; whether it was for this desk. Of a worker that is gone, only what it spent still counts."""
        if self._closed and message["kind"] != "count":
            return True
        match message["kind"]:
            case "lease":
                self._begin(message, functools.partial(self._lease, tokens=message["tokens"]))
            case "release":
                if event := self._released.get(message["number"]):
                    event.set()
            case "complete":
                self._begin(message, functools.partial(self._complete, question=json.loads(body)))
            case "forget":
                if task := self._work.get(message["number"]):
                    task.cancel()
            case "count":
                self._meter.count(Usage.model_validate(message["usage"]))
            case "retrying":
                self._retrying += message["change"]
                self._meter.change_retrying(message["change"], message.get("why", ""))
            case _:
                return False
        return True

    def close(self) -> None:
        """The worker is gone: free everything that it held. What it had sent before may still arrive."""
        self._closed = True
        for task in self._work.values():
            task.cancel()
        self._meter.change_retrying(-self._retrying)
        self._retrying = 0

    def _begin(self, message: Message, work: Callable[[int], Coroutine[Any, Any, None]]) -> None:
        number = message["number"]
        context = contextvars.copy_context()
        context.run(request_priority.set, message["priority"])
        self._work[number] = task = asyncio.create_task(self._told(number, work), context=context)
        task.add_done_callback(lambda _: self._work.pop(number))

    async def _told(self, number: int, work: Callable[[int], Coroutine[Any, Any, None]]) -> None:
        try:
            await work(number)
        except Exception as error:
            self._channel.send("answer", number=number, **error_to_json(error))

    async def _lease(self, number: int, tokens: int) -> None:
        self._released[number] = released = asyncio.Event()
        try:
            async with self._meter.request(tokens):
                self._channel.send("answer", number=number)
                await released.wait()
        finally:
            del self._released[number]

    async def _complete(self, number: int, question: dict[str, Any]) -> None:
        waiting_clock.set(clock := [0.0])
        asked = question["constraint"]
        completion = await self._models.open(ModelSpec.model_validate(question["model"])).complete(
            question["messages"],
            seed=question["seed"],
            constraint=asked and Constraint(ConstraintStyle(asked[0]), tuple(asked[1])),
        )
        usage = completion.usage.model_dump(mode="json")
        self._channel.send(
            "answer",
            completion.text.encode(),
            number=number,
            usage=usage,
            finish_reason=completion.finish_reason,
            calls=completion.calls,
            waited=clock[0],
        )

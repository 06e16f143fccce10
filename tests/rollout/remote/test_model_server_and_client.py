"""Leases and relayed models: a coordinator and its workers over real pairs of sockets."""

from __future__ import annotations

import asyncio
import socket
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from watching import until

from ictbench.errors import LimitReachedError, ModelFailure, ModelUnavailableError, TransientModelError
from ictbench.models import Completion, Constraint, ConstraintStyle, Limits, ModelPool, Retry, ToolCall, UsageMeter
from ictbench.models.usage_meter import request_priority, waiting_clock
from ictbench.records import ModelSpec, Usage
from ictbench.rollout.executor import Priority
from ictbench.rollout.remote.error_codec import error_from_json
from ictbench.rollout.remote.framing import Channel, Message
from ictbench.rollout.remote.model_client import CoordinatorClient, RemoteGate, RemoteModels
from ictbench.rollout.remote.model_server import ModelServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from ictbench.models import Message as ChatMessage

SPEC = ModelSpec(provider=f"{__name__}:Parrot", model="")
STYLES = ["grammar", "json"]


CALL = ToolCall(id="1", name="act", arguments='{"action": "très bien"}')


class Parrot:
    """Model that repeats the last message, records its requests, and fails on certain words."""

    requests: ClassVar[list[dict[str, Any]]] = []
    instances: ClassVar[int] = 0
    capabilities = STYLES

    def __init__(self) -> None:
        Parrot.instances += 1

    async def complete(self, messages: list[Any], seed: int | None, constraint: Constraint | None) -> Completion:
        self.requests.append({"messages": messages, "seed": seed, "constraint": constraint})
        text = messages[-1]["content"]
        if text == "refuse":
            raise ModelFailure("refused", "it would not", Usage(calls=1, input_tokens=7, cost=0.5))
        if text == "busy":
            raise TransientModelError("overloaded", "too much to do")
        if text == "call":
            return Completion("", Usage(calls=1), calls=(CALL, CALL))
        return Completion(f"{text}!", Usage(calls=1, input_tokens=3, output_tokens=4, cost=0.25), "length")


@pytest.fixture(autouse=True)
def requests(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    requests: list[dict[str, Any]] = []
    monkeypatch.setattr(Parrot, "requests", requests)
    monkeypatch.setattr(Parrot, "instances", 0)
    return requests


@dataclass
class Worker:
    """The worker side of a connection, and a function that ends the connection."""

    gate: RemoteGate
    models: RemoteModels
    die: Callable[[], Awaitable[None]]


@asynccontextmanager
async def worker(models: ModelPool, meter: UsageMeter) -> AsyncIterator[Worker]:
    """Connect a worker to a coordinator with these models and this meter."""
    loop, lost = asyncio.get_running_loop(), asyncio.Event()
    server_socket, worker_socket = socket.socketpair()

    def handle(message: Message, body: bytes) -> None:
        server.handle(message, body)

    def handle_loss() -> None:
        server.close()
        lost.set()

    server_channel = Channel(handle, handle_loss)

    def handle_at_worker(message: Message, body: bytes) -> None:
        match message["kind"]:
            case "slots":
                models_at_worker.gate.slots.receive(message["gained"], message["keep"])
            case "limit":
                models_at_worker.gate.stop(error_from_json(message))
            case _:
                client.receive_response(message, body)

    worker_channel = Channel(handle_at_worker, lambda: None)
    server, client = ModelServer(models, meter, server_channel), CoordinatorClient(worker_channel)
    await loop.create_connection(lambda: server_channel, sock=server_socket)
    await loop.create_connection(lambda: worker_channel, sock=worker_socket)

    async def die() -> None:
        worker_channel.close()
        await lost.wait()

    models_at_worker = RemoteModels(client, None)
    models_at_worker.gate.needs_leases = meter.needs_leases
    worker = Worker(models_at_worker.gate, models_at_worker, die)
    yield worker
    await worker.models.aclose()
    await die()


@asynccontextmanager
async def workers(
    count: int, limits: Limits | None = None, retry: Retry | None = None
) -> AsyncIterator[tuple[UsageMeter, list[Worker]]]:
    """Connect `count` workers to one coordinator; yield its meter and the workers."""
    meter = UsageMeter(limits or Limits())
    models = ModelPool(meter, retry=retry)
    async with AsyncExitStack() as stack, asyncio.timeout(60):
        yield meter, [await stack.enter_async_context(worker(models, meter)) for _ in range(count)]
    await models.aclose()


# Leases


def test_connection_limit_holds_over_all_workers() -> None:
    async def go() -> None:
        async with workers(2, Limits(max_connections=3)) as (meter, both):
            active, most = 0, 0

            async def request(one: Worker) -> None:
                nonlocal active, most
                async with one.gate.request(1):
                    active += 1
                    most = max(most, active)
                    await asyncio.sleep(0.002)
                    active -= 1

            await asyncio.gather(*(request(both[number % 2]) for number in range(40)))
            await until(lambda: meter.in_flight == 0)
            assert most == 3

    asyncio.run(go())


def test_requests_of_all_workers_queue_by_priority() -> None:
    async def go() -> None:
        async with workers(2, Limits(max_connections=1)) as (_, (one, other)):
            entered: list[str] = []
            first = asyncio.Event()

            async def request(at: Worker, name: str, priority: Priority) -> None:
                request_priority.set(priority)
                async with at.gate.request(1):
                    entered.append(name)
                    if name == "first":
                        await first.wait()

            requests = [(one, "first", Priority.TEST), (one, "test", Priority.TEST)]
            requests += [(other, "selection", Priority.SELECTION), (other, "experience", Priority.EXPERIENCE)]
            tasks = []
            for request_of in requests:
                tasks.append(asyncio.create_task(request(*request_of)))
                await asyncio.sleep(0.02)
            first.set()
            await asyncio.gather(*tasks)
            assert entered == ["first", "experience", "selection", "test"]

    asyncio.run(go())


def test_lost_worker_returns_its_leases_and_its_queued_requests_are_dropped() -> None:
    async def go() -> None:
        async with workers(2, Limits(max_connections=2)) as (meter, (mortal, other)):
            held = [asyncio.create_task(_hold(mortal)) for _ in range(6)]
            await until(lambda: meter.in_flight == 2)
            await mortal.die()
            await until(lambda: meter.in_flight == 0)
            async with other.gate.request(1), other.gate.request(1):
                await until(lambda: meter.in_flight == 2)
            for task in held:
                task.cancel()
            await asyncio.gather(*held, return_exceptions=True)

    asyncio.run(go())


def test_requests_in_flight_at_a_lost_worker_count_with_their_upper_estimate() -> None:
    unanswered = Usage(unreported=1, cost=None, unreported_tokens=500, cost_at_most=0.6)

    async def go() -> None:
        async with workers(1, Limits(max_connections=2, max_cost=1.0)) as (meter, (mortal,)):
            async with mortal.gate.request(1, lambda: unanswered):
                mortal.gate.count(Usage(calls=1, cost=0.25))
            held = [asyncio.create_task(_hold(mortal, unanswered)) for _ in range(3)]
            await until(lambda: meter.in_flight == 2)
            await mortal.die()
            # The answered request and the one that waited are not among them.
            assert meter.spent.unreported == 2
            assert meter.spent.cost_bounds == pytest.approx((0.25, 1.45))
            with pytest.raises(LimitReachedError, match=r"\$1.4500 is spent at most \(\$0.2500 for certain; 2 "):
                meter.check()
            for task in held:
                task.cancel()
            await asyncio.gather(*held, return_exceptions=True)

    asyncio.run(go())


def test_requests_in_flight_at_a_lost_worker_are_unknown_if_there_are_no_limits() -> None:
    async def go() -> None:
        async with workers(1, Limits(max_connections=2)) as (meter, (mortal,)):
            held = [asyncio.create_task(_hold(mortal)) for _ in range(3)]
            await until(lambda: meter.in_flight == 2)
            await mortal.die()
            assert meter.spent == Usage(unreported=2, cost=None)
            for task in held:
                task.cancel()
            await asyncio.gather(*held, return_exceptions=True)

    asyncio.run(go())


def test_late_messages_of_a_lost_worker_are_ignored_except_usage() -> None:
    async def go() -> None:
        meter = UsageMeter(Limits(max_connections=1))
        server = ModelServer(ModelPool(meter), meter, Channel(lambda message, body: None, lambda: None))
        server.close()
        server.handle({"kind": "lease", "number": 0, "priority": 0, "tokens": 1}, b"")
        server.handle({"kind": "report", "running": 0, "demand": [[0, 1]], "returned": 0}, b"")
        server.handle({"kind": "retrying", "change": 1}, b"")
        server.handle({"kind": "report", "usage": {"calls": 1, "input_tokens": 3}}, b"")
        async with asyncio.timeout(60), meter.request(1):
            assert (meter.in_flight, meter.retrying) == (1, 0)
        assert meter.spent.input_tokens == 3

    asyncio.run(go())


async def _hold(at: Worker, unanswered: Usage | None = None) -> None:
    async with at.gate.request(1, (lambda: unanswered) if unanswered else None):
        await asyncio.Event().wait()


@settings(max_examples=25)
@given(st.lists(st.sampled_from([None, 0, 1, 2, 5]), min_size=3, max_size=12))
def test_cancelled_requests_never_leak_a_connection(when: list[int | None]) -> None:
    async def go() -> None:
        async with workers(1, Limits(max_connections=2)) as (meter, (one,)):

            async def request() -> None:
                async with one.gate.request(1):
                    await asyncio.sleep(0)

            async def cancel_after(turns: int | None) -> None:
                task = asyncio.create_task(request())
                for _ in range(turns or 0):
                    await asyncio.sleep(0)
                if turns is not None:
                    task.cancel()
                with suppress(asyncio.CancelledError):
                    await task

            await asyncio.gather(*map(cancel_after, when))
            await until(lambda: meter.in_flight == 0)
            async with one.gate.request(1), one.gate.request(1):
                await until(lambda: meter.in_flight == 2)

    asyncio.run(go())


def test_wait_for_a_lease_is_added_to_the_waiting_clock() -> None:
    async def go() -> None:
        async with workers(1, Limits(max_connections=1)) as (meter, (one,)):
            holding = asyncio.create_task(_hold(one))
            await until(lambda: meter.in_flight == 1)
            waiting_clock.set(clock := [0.0])
            waiting = asyncio.create_task(_hold(one))
            await asyncio.sleep(0.05)
            assert clock == [0.0]
            holding.cancel()
            await until(lambda: clock[0])
            assert 0.04 <= clock[0] < 30
            waiting.cancel()

    asyncio.run(go())


def test_usage_of_all_workers_counts_towards_limits() -> None:
    async def go() -> None:
        async with workers(2, Limits(max_tokens=100)) as (meter, (one, other)):
            async with other.gate.request(1):
                pass
            spent = [Usage(calls=1, input_tokens=60, cost=None), Usage(calls=1, output_tokens=40, cost=0.5)]
            for usage in spent:
                one.gate.count(usage)
            await until(lambda: meter.spent.calls == 2)
            assert meter.spent == spent[0] + spent[1]
            with pytest.raises(LimitReachedError, match="--max-tokens 100 is reached"):
                async with other.gate.request(1):
                    pass

    asyncio.run(go())


def test_time_limit_ends_requests_that_wait_and_refuses_new_ones() -> None:
    async def go() -> None:
        async with workers(1, Limits(max_connections=1, max_time=0.2)) as (meter, (one,)):
            holding = asyncio.create_task(_hold(one))
            await until(lambda: meter.in_flight == 1)
            for _ in range(2):
                with pytest.raises(LimitReachedError, match=r"--max-time 0.2 s is reached"):
                    await _hold(one)
            assert not holding.done()
            holding.cancel()
            await until(lambda: meter.in_flight == 0)

    asyncio.run(go())


def test_requests_that_wait_for_a_retry_are_counted() -> None:
    async def go() -> None:
        async with workers(2) as (meter, (one, mortal)):
            waits = [asyncio.create_task(one.gate.wait(0.1, "busy")), asyncio.create_task(mortal.gate.wait(60, "busy"))]
            await until(lambda: meter.retrying == 2)
            await waits[0]
            await until(lambda: meter.retrying == 1)
            await mortal.die()
            assert (meter.retrying, meter.retries) == (0, 2)
            waits[1].cancel()

    asyncio.run(go())


# Relayed models


def relayed(at: Worker) -> Any:
    at.models.relay(SPEC, STYLES)
    return at.models.open(SPEC)


def test_relayed_model_answers_like_a_local_one(requests: list[dict[str, Any]]) -> None:
    async def go() -> None:
        async with workers(2) as (meter, both):
            for number, at in enumerate(both):
                model = relayed(at)
                assert model is at.models.open(SPEC.model_copy())
                assert model.capabilities == {ConstraintStyle.GRAMMAR, ConstraintStyle.JSON}
                constraint = Constraint(ConstraintStyle.JSON, ("step n", "„essen“"))
                text = f"très bien 😀 {number}"
                messages: list[ChatMessage] = [
                    {"role": "system", "content": "Play."},
                    {"role": "user", "content": text},
                ]
                completion = await model.complete(messages, seed=number, constraint=constraint)
                usage = Usage(calls=1, input_tokens=3, output_tokens=4, cost=0.25)
                assert completion == Completion(f"{text}!", usage, "length")
                assert requests[-1] == {"messages": messages, "seed": number, "constraint": constraint}
            called = await both[0].models.open(SPEC).complete([{"role": "user", "content": "call"}])
            assert called == Completion("", Usage(calls=1, cost=called.usage.cost), calls=(CALL, CALL))
            await both[0].models.open(SPEC).complete([{"role": "user", "content": "no constraint"}])
            assert requests[-1]["constraint"] is None
            # Usage is counted once, at the coordinator.
            assert meter.spent.calls == 4
            assert Parrot.instances == 1

    asyncio.run(go())


def test_relayed_model_raises_the_errors_of_the_model(requests: list[dict[str, Any]]) -> None:
    async def go() -> None:
        async with workers(1, retry=Retry(attempts=2, base_wait=0.001)) as (meter, (one,)):
            model = relayed(one)
            with pytest.raises(ModelFailure) as caught:
                await model.complete([{"role": "user", "content": "refuse"}])
            failure = caught.value
            assert (failure.kind, failure.detail) == ("refused", "it would not")
            assert failure.usage == Usage(calls=1, input_tokens=7, cost=0.5)
            with pytest.raises(ModelUnavailableError, match=r"too much to do \(2 attempts"):
                await model.complete([{"role": "user", "content": "busy"}])
            # The coordinator retried.
            assert len(requests) == 3
            assert (meter.retrying, meter.retries) == (0, 1)

    asyncio.run(go())


def test_wait_of_a_relayed_request_is_added_to_the_waiting_clock() -> None:
    async def go() -> None:
        async with workers(1, Limits(max_connections=1)) as (meter, (one,)):
            holding = asyncio.create_task(_hold(one))
            await until(lambda: meter.in_flight == 1)
            waiting_clock.set(clock := [0.0])
            waiting = asyncio.create_task(relayed(one).complete([{"role": "user", "content": "hello"}]))
            await asyncio.sleep(0.05)
            holding.cancel()
            await waiting
            assert 0.04 <= clock[0] < 30

    asyncio.run(go())


def test_cancelled_relayed_request_is_not_sent_to_the_model(requests: list[dict[str, Any]]) -> None:
    async def go() -> None:
        async with workers(1, Limits(max_connections=1)) as (meter, (one,)):
            holding = asyncio.create_task(_hold(one))
            await until(lambda: meter.in_flight == 1)
            waiting = asyncio.create_task(relayed(one).complete([{"role": "user", "content": "cancelled"}]))
            await asyncio.sleep(0.02)
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
            holding.cancel()
            await relayed(one).complete([{"role": "user", "content": "sent"}])
            assert [request["messages"][-1]["content"] for request in requests] == ["sent"]

    asyncio.run(go())


def test_remote_model_is_opened_in_the_worker() -> None:
    async def go() -> None:
        async with workers(1) as (_, (one,)):
            spec = ModelSpec(provider="openai", model="scripted", base_url="http://127.0.0.1:9/v1")
            model = one.models.open(spec)
            assert model.is_remote
            assert model is one.models.open(spec)

    asyncio.run(go())

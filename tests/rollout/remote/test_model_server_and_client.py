"""Both ends of what a coordinator alone decides for its workers, over real pairs of sockets."""

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
    """Says what was said last, and how it was asked; fails as it is told."""

    asked: ClassVar[list[dict[str, Any]]] = []
    made: ClassVar[int] = 0
    capabilities = STYLES

    def __init__(self) -> None:
        Parrot.made += 1

    async def complete(self, messages: list[Any], seed: int | None, constraint: Constraint | None) -> Completion:
        self.asked.append({"messages": messages, "seed": seed, "constraint": constraint})
        said = messages[-1]["content"]
        if said == "refuse":
            raise ModelFailure("refused", "it would not", Usage(calls=1, input_tokens=7, cost=0.5))
        if said == "busy":
            raise TransientModelError("overloaded", "too much to do")
        if said == "call":
            return Completion("", Usage(calls=1), calls=(CALL, CALL))
        return Completion(f"{said}!", Usage(calls=1, input_tokens=3, output_tokens=4, cost=0.25), "length")


@pytest.fixture(autouse=True)
def asked(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    monkeypatch.setattr(Parrot, "asked", found)
    monkeypatch.setattr(Parrot, "made", 0)
    return found


@dataclass
class Worker:
    """One worker's end, and how to cut it off."""

    gate: RemoteGate
    models: RemoteModels
    die: Callable[[], Awaitable[None]]


@asynccontextmanager
async def worker(models: ModelPool, meter: UsageMeter) -> AsyncIterator[Worker]:
    """A worker of a coordinator with these models and this meter."""
    loop, gone = asyncio.get_running_loop(), asyncio.Event()
    ours, theirs = socket.socketpair()

    def received(message: Message, body: bytes) -> None:
        assert desk.received(message, body)

    def lost() -> None:
        desk.close()
        gone.set()

    near, far = (
        Channel(received, lost),
        Channel(lambda message, body: coordinator.answered(message, body), lambda: None),
    )
    desk, coordinator = ModelServer(models, meter, near), CoordinatorClient(far)
    await loop.create_connection(lambda: near, sock=ours)
    await loop.create_connection(lambda: far, sock=theirs)

    async def die() -> None:
        far.close()
        await gone.wait()

    found = Worker(RemoteGate(coordinator), RemoteModels(coordinator, None), die)
    yield found
    await found.models.aclose()
    await die()


@asynccontextmanager
async def workers(
    count: int, limits: Limits | None = None, retry: Retry | None = None
) -> AsyncIterator[tuple[UsageMeter, list[Worker]]]:
    """So many workers of one coordinator, and its meter."""
    meter = UsageMeter(limits or Limits())
    models = ModelPool(meter, retry=retry)
    async with AsyncExitStack() as stack, asyncio.timeout(60):
        yield meter, [await stack.enter_async_context(worker(models, meter)) for _ in range(count)]
    await models.aclose()


# Leave to send a request


def test_a_limit_on_connections_holds_over_all_workers() -> None:
    async def go() -> None:
        async with workers(2, Limits(max_connections=3)) as (meter, both):
            inside, most = 0, 0

            async def request(one: Worker) -> None:
                nonlocal inside, most
                async with one.gate.request(1):
                    inside += 1
                    most = max(most, inside)
                    assert meter.in_flight >= inside
                    await asyncio.sleep(0.002)
                    inside -= 1

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


def test_a_dead_worker_gives_back_what_it_held_and_asks_for_nothing_more() -> None:
    async def go() -> None:
        async with workers(2, Limits(max_connections=2)) as (meter, (mortal, other)):
            held = [asyncio.create_task(_hold(mortal)) for _ in range(6)]
            await until(lambda: meter.in_flight == 2)
            await mortal.die()
            await until(lambda: meter.in_flight == 0)
            async with other.gate.request(1), other.gate.request(1):
                assert meter.in_flight == 2
            for task in held:
                task.cancel()
            await asyncio.gather(*held, return_exceptions=True)

    asyncio.run(go())


def test_what_a_dead_worker_had_sent_before_takes_nothing_any_more_but_what_it_spent_counts() -> None:
    async def go() -> None:
        meter = UsageMeter(Limits(max_connections=1))
        desk = ModelServer(ModelPool(meter), meter, Channel(lambda message, body: None, lambda: None))
        desk.close()
        desk.received({"kind": "lease", "number": 0, "priority": 0, "tokens": 1}, b"")
        desk.received({"kind": "retrying", "change": 1}, b"")
        desk.received({"kind": "count", "usage": {"calls": 1, "input_tokens": 3}}, b"")
        async with asyncio.timeout(60), meter.request(1):
            assert (meter.in_flight, meter.retrying) == (1, 0)
        assert meter.spent.input_tokens == 3

    asyncio.run(go())


async def _hold(at: Worker) -> None:
    async with at.gate.request(1):
        await asyncio.Event().wait()


@settings(max_examples=25)
@given(st.lists(st.sampled_from([None, 0, 1, 2, 5]), min_size=3, max_size=12))
def test_whenever_requests_are_given_up_no_connection_is_lost(when: list[int | None]) -> None:
    async def go() -> None:
        async with workers(1, Limits(max_connections=2)) as (meter, (one,)):

            async def request() -> None:
                async with one.gate.request(1):
                    await asyncio.sleep(0)

            async def given_up(turns: int | None) -> None:
                task = asyncio.create_task(request())
                for _ in range(turns or 0):
                    await asyncio.sleep(0)
                if turns is not None:
                    task.cancel()
                with suppress(asyncio.CancelledError):
                    await task

            await asyncio.gather(*map(given_up, when))
            await until(lambda: meter.in_flight == 0)
            async with one.gate.request(1), one.gate.request(1):
                assert meter.in_flight == 2

    asyncio.run(go())


def test_the_wait_for_leave_is_told_to_whoever_keeps_count() -> None:
    async def go() -> None:
        async with workers(1, Limits(max_connections=1)) as (meter, (one,)):
            holding = asyncio.create_task(_hold(one))
            await until(lambda: meter.in_flight == 1)
            waiting_clock.set(clock := [0.0])
            asking = asyncio.create_task(_hold(one))
            await asyncio.sleep(0.05)
            assert clock == [0.0]
            holding.cancel()
            await until(lambda: clock[0])
            assert 0.04 <= clock[0] < 30
            asking.cancel()

    asyncio.run(go())


def test_what_workers_spend_counts_and_stops_all_of_them_at_a_limit() -> None:
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


def test_requests_that_wait_before_another_try_are_counted_while_they_do() -> None:
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


# Models that live with the coordinator


def relayed(at: Worker) -> Any:
    at.models.relay(SPEC, STYLES)
    return at.models.open(SPEC)


def test_a_relayed_model_is_asked_and_answers_as_if_it_were_here(asked: list[dict[str, Any]]) -> None:
    async def go() -> None:
        async with workers(2) as (meter, both):
            for number, at in enumerate(both):
                model = relayed(at)
                assert model is at.models.open(SPEC.model_copy())
                assert model.capabilities == {ConstraintStyle.GRAMMAR, ConstraintStyle.JSON}
                constraint = Constraint(ConstraintStyle.JSON, ("step n", "„essen“"))
                said = f"très bien 😀 {number}"
                messages: list[ChatMessage] = [
                    {"role": "system", "content": "Play."},
                    {"role": "user", "content": said},
                ]
                completion = await model.complete(messages, seed=number, constraint=constraint)
                usage = Usage(calls=1, input_tokens=3, output_tokens=4, cost=0.25)
                assert completion == Completion(f"{said}!", usage, "length")
                assert asked[-1] == {"messages": messages, "seed": number, "constraint": constraint}
            called = await both[0].models.open(SPEC).complete([{"role": "user", "content": "call"}])
            assert called == Completion("", Usage(calls=1, cost=called.usage.cost), calls=(CALL, CALL))
            await both[0].models.open(SPEC).complete([{"role": "user", "content": "no constraint"}])
            assert asked[-1]["constraint"] is None
            # It was counted once, where it was asked.
            assert meter.spent.calls == 4
            assert Parrot.made == 1

    asyncio.run(go())


def test_its_failures_and_troubles_are_those_of_the_model(asked: list[dict[str, Any]]) -> None:
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
            # The tries were the coordinator's.
            assert len(asked) == 3
            assert (meter.retrying, meter.retries) == (0, 1)

    asyncio.run(go())


def test_time_that_a_relayed_question_waits_for_its_turn_is_not_the_episodes() -> None:
    async def go() -> None:
        async with workers(1, Limits(max_connections=1)) as (meter, (one,)):
            holding = asyncio.create_task(_hold(one))
            await until(lambda: meter.in_flight == 1)
            waiting_clock.set(clock := [0.0])
            asking = asyncio.create_task(relayed(one).complete([{"role": "user", "content": "hello"}]))
            await asyncio.sleep(0.05)
            holding.cancel()
            await asking
            assert 0.04 <= clock[0] < 30

    asyncio.run(go())


def test_a_question_that_is_given_up_is_not_asked_any_more(asked: list[dict[str, Any]]) -> None:
    async def go() -> None:
        async with workers(1, Limits(max_connections=1)) as (meter, (one,)):
            holding = asyncio.create_task(_hold(one))
            await until(lambda: meter.in_flight == 1)
            asking = asyncio.create_task(relayed(one).complete([{"role": "user", "content": "given up"}]))
            await asyncio.sleep(0.02)
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)
            holding.cancel()
            await relayed(one).complete([{"role": "user", "content": "asked"}])
            assert [question["messages"][-1]["content"] for question in asked] == ["asked"]

    asyncio.run(go())


def test_a_model_that_travels_is_opened_at_the_worker() -> None:
    async def go() -> None:
        async with workers(1) as (_, (one,)):
            spec = ModelSpec(provider="openai", model="scripted", base_url="http://127.0.0.1:9/v1")
            model = one.models.open(spec)
            assert model.is_remote
            assert model is one.models.open(spec)

    asyncio.run(go())

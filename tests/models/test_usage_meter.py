from __future__ import annotations

import asyncio

import pytest

from ictbench.errors import LimitReachedError
from ictbench.models.usage_meter import Limits, UsageMeter, waiting_clock
from ictbench.records import Usage

TURNS = 200
"""Iterations of the event loop after which everything that can proceed has proceeded."""


async def hold_request(meter: UsageMeter, tokens: int, until: asyncio.Event) -> None:
    async with meter.request(tokens):
        await until.wait()


async def settle() -> None:
    for _ in range(TURNS):
        await asyncio.sleep(0)


def admitted(limits: Limits, tokens: int, requests: int) -> tuple[int, int]:
    """Return how many of several concurrent requests are admitted, before and after the first ones are released."""

    async def counted() -> tuple[int, int]:
        meter = UsageMeter(limits)
        end = asyncio.Event()
        tasks = [asyncio.create_task(hold_request(meter, tokens, end)) for _ in range(requests)]
        await settle()
        holding = meter.in_flight
        end.set()
        await settle()
        done = sum(task.done() for task in tasks)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        assert meter.in_flight == 0
        return holding, done

    return asyncio.run(counted())


def test_connections_are_limited() -> None:
    assert admitted(Limits(max_connections=3), tokens=1, requests=20) == (3, 20)


@pytest.mark.parametrize(
    "limits",
    [
        Limits(requests_per_minute=60),
        Limits(tokens_per_minute=30_000),
        # A request with more tokens than allowed per minute is still admitted, alone.
        Limits(tokens_per_minute=100),
    ],
)
def test_requests_wait_for_requests_and_tokens_per_minute(limits: Limits) -> None:
    assert admitted(limits, tokens=500, requests=6) == (1, 1)


def test_waiting_for_a_connection_is_added_to_the_waiting_clock() -> None:
    async def counted() -> tuple[float, float]:
        meter = UsageMeter(Limits(max_connections=1))
        end = asyncio.Event()
        first = asyncio.create_task(hold_request(meter, 1, end))
        await settle()
        seconds = [0.0]
        waiting_clock.set(seconds)
        second = asyncio.create_task(hold_request(meter, 1, end))
        await asyncio.sleep(0.05)
        before = seconds[0]
        end.set()
        await asyncio.gather(first, second)
        return before, seconds[0]

    before, after = asyncio.run(counted())
    assert before == 0.0
    assert after >= 0.04


def test_usage_of_earlier_sessions_counts() -> None:
    async def request(spent: Usage) -> None:
        async with UsageMeter(Limits(max_tokens=100), spent=spent).request(1):
            pass

    asyncio.run(request(Usage(calls=1, input_tokens=99)))
    with pytest.raises(LimitReachedError, match="--max-tokens 100 is reached"):
        asyncio.run(request(Usage(calls=1, input_tokens=60, output_tokens=40)))


def test_a_request_that_waited_while_a_limit_was_reached_is_not_started() -> None:
    async def request() -> None:
        meter = UsageMeter(Limits(max_connections=1, max_tokens=100))
        end = asyncio.Event()
        first = asyncio.create_task(hold_request(meter, 1, end))
        await settle()
        second = asyncio.create_task(hold_request(meter, 1, end))
        await settle()
        meter.count(Usage(calls=1, input_tokens=100))
        end.set()
        await first
        with pytest.raises(LimitReachedError):
            await second
        assert meter.in_flight == 0

    asyncio.run(request())


def refusal(limits: Limits, *counted: Usage, unreported_by: str = "", spent: Usage | None = None) -> str:
    """Return why a request is refused after these usages; empty if it is admitted."""

    async def request() -> None:
        meter = UsageMeter(limits, spent or Usage())
        for usage in counted:
            meter.count(usage, unreported_by)
        async with meter.request(1):
            pass

    try:
        asyncio.run(request())
    except LimitReachedError as error:
        return str(error)
    return ""


UNPRICED = Usage(calls=1, input_tokens=100, cost=None)
LOST = Usage(unreported=1, unreported_tokens=600, cost=None, cost_at_most=0.25)
PAID = Usage(calls=1, input_tokens=100, output_tokens=20, cost=0.5)


@pytest.mark.parametrize("place", ["now", "in an earlier session"])
def test_a_cost_without_an_upper_bound_stops_a_run_with_a_cost_limit(place: str) -> None:
    counted, spent = ((UNPRICED,), None) if place == "now" else ((), UNPRICED)
    message = refusal(Limits(max_cost=10), *counted, spent=spent)
    assert message.startswith("--max-cost 10 cannot be enforced: part of the cost so far is unknown")
    assert not refusal(Limits(max_tokens=10**6), *counted, spent=spent)


@pytest.mark.parametrize("limits", [Limits(max_cost=10), Limits(max_tokens=10**6)])
def test_a_reply_without_usage_stops_a_run_with_a_limit_on_usage(limits: Limits) -> None:
    assert "openai/m answers without reporting its usage" in refusal(limits, LOST, unreported_by="openai/m")
    assert not refusal(Limits(), LOST, unreported_by="openai/m")


def test_requests_without_an_answer_count_with_their_upper_estimate() -> None:
    assert not refusal(Limits(max_cost=1.01), PAID, LOST, LOST)
    assert refusal(Limits(max_cost=1), PAID, LOST, LOST) == (
        "--max-cost 1 is reached: $1.0000 is spent at most "
        "($0.5000 for certain; 2 requests without a reported usage are estimated)"
    )
    assert not refusal(Limits(max_tokens=721), PAID, LOST)
    assert refusal(Limits(max_tokens=720), PAID, LOST) == (
        "--max-tokens 720 is reached: 720 tokens are used at most "
        "(120 for certain; 1 requests without a reported usage are estimated)"
    )

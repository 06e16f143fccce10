from __future__ import annotations

import asyncio

import pytest

from ictbench.errors import LimitReachedError
from ictbench.models.usage_meter import Limits, UsageMeter, waiting_clock
from ictbench.records import Usage

TURNS = 200
"""Of the event loop, in which everything that could go on has gone on."""


async def held(meter: UsageMeter, tokens: int, until: asyncio.Event) -> None:
    async with meter.request(tokens):
        await until.wait()


async def settled() -> None:
    for _ in range(TURNS):
        await asyncio.sleep(0)


def let_through(limits: Limits, tokens: int, asked: int) -> tuple[int, int]:
    """How many of so many requests at once get through, while the first ones hold on and after they let go."""

    async def counted() -> tuple[int, int]:
        meter = UsageMeter(limits)
        end = asyncio.Event()
        tasks = [asyncio.create_task(held(meter, tokens, end)) for _ in range(asked)]
        await settled()
        holding = meter.in_flight
        end.set()
        await settled()
        done = sum(task.done() for task in tasks)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        assert meter.in_flight == 0
        return holding, done

    return asyncio.run(counted())


def test_so_many_connections_and_no_more() -> None:
    assert let_through(Limits(max_connections=3), tokens=1, asked=20) == (3, 20)


@pytest.mark.parametrize(
    ("limits", "allowed"),
    [
        (Limits(requests_per_minute=3), 3),
        (Limits(tokens_per_minute=1100), 2),
        # A request larger than a minute's tokens still gets through, alone.
        (Limits(tokens_per_minute=100), 1),
    ],
)
def test_so_many_requests_or_tokens_a_minute(limits: Limits, allowed: int) -> None:
    assert let_through(limits, tokens=500, asked=6) == (allowed, allowed)


def test_a_wait_for_a_free_connection_is_told_to_whoever_keeps_count() -> None:
    async def counted() -> tuple[float, float]:
        meter = UsageMeter(Limits(max_connections=1))
        end = asyncio.Event()
        first = asyncio.create_task(held(meter, 1, end))
        await settled()
        kept = [0.0]
        waiting_clock.set(kept)
        second = asyncio.create_task(held(meter, 1, end))
        await asyncio.sleep(0.05)
        before = kept[0]
        end.set()
        await asyncio.gather(first, second)
        return before, kept[0]

    before, after = asyncio.run(counted())
    assert before == 0.0
    assert after >= 0.04


def test_what_earlier_sittings_spent_counts() -> None:
    async def asked(spent: Usage) -> None:
        async with UsageMeter(Limits(max_tokens=100), spent=spent).request(1):
            pass

    asyncio.run(asked(Usage(calls=1, input_tokens=99)))
    with pytest.raises(LimitReachedError, match="--max-tokens 100 is reached"):
        asyncio.run(asked(Usage(calls=1, input_tokens=60, output_tokens=40)))


def test_a_request_that_waited_while_a_limit_was_reached_is_not_begun() -> None:
    async def asked() -> None:
        meter = UsageMeter(Limits(max_connections=1, max_tokens=100))
        end = asyncio.Event()
        first = asyncio.create_task(held(meter, 1, end))
        await settled()
        second = asyncio.create_task(held(meter, 1, end))
        await settled()
        meter.count(Usage(calls=1, input_tokens=100))
        end.set()
        await first
        with pytest.raises(LimitReachedError):
            await second
        assert meter.in_flight == 0

    asyncio.run(asked())


def test_an_unknown_cost_reaches_no_limit_on_cost() -> None:
    async def asked() -> None:
        meter = UsageMeter(Limits(max_cost=0.01))
        meter.count(Usage(calls=1, input_tokens=100, cost=None))
        async with meter.request(1):
            pass

    asyncio.run(asked())

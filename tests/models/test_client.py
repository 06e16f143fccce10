from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ictbench.errors import (
    EndpointRefusedError,
    IctbenchError,
    LimitReachedError,
    ModelFailure,
    ModelUnavailableError,
    TransientModelError,
)
from ictbench.models import usage_meter
from ictbench.models.chat_model import ChatModel, Completion, Constraint, ConstraintStyle
from ictbench.models.client import ModelClient, Retry
from ictbench.models.prices import Price
from ictbench.models.response_cache import ResponseCache
from ictbench.models.token_counts import TOKENS_PER_MESSAGE, input_tokens_at_most
from ictbench.models.usage_meter import Limits, UsageMeter, waiting_clock
from ictbench.records import UNREPORTED, ModelSpec, Usage

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ictbench.models.chat_model import Message

MESSAGES: list[Message] = [{"role": "user", "content": "A door."}]
SPEC = ModelSpec(provider="fake", model="one", max_tokens=500)
USAGE = Usage(calls=1, input_tokens=100, output_tokens=10, cached_tokens=40, cost=None)
PRICE = Price(input=0.01, output=0.1, cached=0.001)
COST = 60 * 0.01 + 40 * 0.001 + 10 * 0.1
AT_MOST = len("A door.") + 2 * TOKENS_PER_MESSAGE + SPEC.max_tokens
"""Upper estimate of the tokens of a request."""
COST_AT_MOST = (AT_MOST - SPEC.max_tokens) * 0.01 + SPEC.max_tokens * 0.1
BUSY = TransientModelError("overloaded", "busy")
NO_WAIT = Retry(base_wait=0.0)


class Fake(ChatModel):
    """Returns or raises the given answers in turn; repeats the last one."""

    capabilities = frozenset({ConstraintStyle.JSON})
    fingerprint = None

    def __init__(self, *answers: str | Completion | IctbenchError, spec: ModelSpec = SPEC) -> None:
        super().__init__(spec)
        self.answers = list(answers)
        self.calls = 0
        self.closed = False

    async def complete(
        self, messages: Sequence[Message], *, seed: int | None = None, constraint: Constraint | None = None
    ) -> Completion:
        self.calls += 1
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, IctbenchError):
            raise answer
        return Completion(answer, USAGE) if isinstance(answer, str) else answer

    async def aclose(self) -> None:
        self.closed = True


class Clock:
    """Clock that advances only in sleeps, which it records."""

    def __init__(self) -> None:
        self.now = time.monotonic()
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Replace the clock of retries and of --max-time."""
    clock = Clock()

    class Asyncio:
        sleep = staticmethod(clock.sleep)
        Semaphore = asyncio.Semaphore

    class Time:
        monotonic = staticmethod(clock.monotonic)

    monkeypatch.setattr(usage_meter, "asyncio", Asyncio)
    monkeypatch.setattr(usage_meter, "time", Time)
    return clock


def complete(adapter: Fake, limits: Limits | None = None, **options: Any) -> tuple[Completion, UsageMeter]:
    async def once() -> tuple[Completion, UsageMeter]:
        meter = UsageMeter(limits or Limits())
        return await ModelClient(adapter, meter, **options).complete(MESSAGES), meter

    return asyncio.run(once())


def test_transient_errors_are_retried() -> None:
    adapter = Fake(BUSY, BUSY, "done")
    completion, meter = complete(adapter, retry=NO_WAIT)
    assert (completion.text, adapter.calls) == ("done", 3)
    assert (meter.retries, meter.retrying, meter.in_flight) == (2, 0, 0)


def test_the_error_after_five_attempts_gives_the_reason() -> None:
    adapter = Fake(TransientModelError("overloaded", "HTTP 503: all on fire", 0.0))
    with pytest.raises(ModelUnavailableError, match=r"fake/one: HTTP 503: all on fire \(5 attempts, 0 s of waiting\)"):
        complete(adapter)
    assert adapter.calls == 5


@pytest.mark.parametrize("error", [ModelFailure("refused"), EndpointRefusedError("no such model")])
def test_errors_that_are_not_transient_are_not_retried(error: IctbenchError) -> None:
    adapter = Fake(error)
    with pytest.raises(type(error)):
        complete(adapter, retry=NO_WAIT)
    assert adapter.calls == 1


def test_retry_after_is_honoured(clock: Clock) -> None:
    completion, _ = complete(Fake(TransientModelError("rate_limited", "later", 7.0), "done"))
    assert completion.text == "done"
    assert len(clock.slept) == 1
    assert 7.0 <= clock.slept[0] <= 7.7


def test_a_retry_after_above_the_maximum_wait_is_not_waited_for(clock: Clock) -> None:
    adapter = Fake(TransientModelError("rate_limited", "later", 3600.0))
    with pytest.raises(ModelUnavailableError, match=r"later \(1 attempt, 0 s"):
        complete(adapter)
    assert (adapter.calls, clock.slept) == (1, [])


def test_the_total_wait_is_limited(clock: Clock) -> None:
    adapter = Fake(TransientModelError("rate_limited", "later", 25.0))
    with pytest.raises(ModelUnavailableError, match=r"\(3 attempts, 5\d s of waiting\)"):
        complete(adapter)
    assert sum(clock.slept) <= 60


def test_waits_double_and_stay_within_the_maximum() -> None:
    retry = Retry(attempts=5, base_wait=1.0, max_wait=60.0)
    for failures in range(1, 5):
        wait = retry.wait(failures, None, 0.0)
        assert wait is not None
        assert 0.5 * 2 ** (failures - 1) <= wait <= 1.65 * 2 ** (failures - 1)
    assert retry.wait(5, None, 0.0) is None
    assert retry.wait(1, 60.0, 0.0) == 60.0
    assert retry.wait(1, 10.0, 55.0) is None
    assert retry.wait(1, 0.0, 60.0) == 0.0


def test_waiting_is_added_to_the_waiting_clock(clock: Clock) -> None:
    async def counted() -> float:
        seconds = [0.0]
        waiting_clock.set(seconds)
        await ModelClient(Fake(TransientModelError("overloaded", "busy", 7.0), "done"), UsageMeter()).complete(MESSAGES)
        return seconds[0]

    assert asyncio.run(counted()) == pytest.approx(clock.slept[0])


def test_usage_is_counted_and_priced() -> None:
    async def twice() -> tuple[Completion, UsageMeter]:
        meter = UsageMeter(spent=Usage(calls=5, cost=1.0))
        model = ModelClient(Fake("done"), meter, price=PRICE)
        await model.complete(MESSAGES)
        return await model.complete(MESSAGES), meter

    completion, meter = asyncio.run(twice())
    assert completion.usage.cost == pytest.approx(COST)
    assert (meter.spent.calls, meter.spent.input_tokens) == (7, 200)
    assert meter.spent.cost == pytest.approx(1.0 + 2 * COST)


def test_an_unknown_price_gives_no_cost_and_a_reported_cost_is_kept() -> None:
    unknown, _ = complete(Fake("done"))
    reported, _ = complete(Fake(Completion("done", USAGE.model_copy(update={"cost": 0.5}))), price=PRICE)
    assert (unknown.usage.cost, reported.usage.cost) == (None, 0.5)


def test_the_usage_of_a_failed_reply_is_counted() -> None:
    async def failed(failure: ModelFailure) -> tuple[Usage | None, Usage]:
        meter = UsageMeter()
        with pytest.raises(ModelFailure) as caught:
            await ModelClient(Fake(failure), meter, price=PRICE).complete(MESSAGES)
        return caught.value.usage, meter.spent

    usage, spent = asyncio.run(failed(ModelFailure("empty", usage=USAGE)))
    assert usage == spent
    assert spent.cost == pytest.approx(COST)
    _, spent = asyncio.run(failed(ModelFailure("bad_request")))
    assert spent == Usage(calls=1, cost=0.0)
    # Some providers bill requests that their filter stopped.
    _, spent = asyncio.run(failed(ModelFailure("refused")))
    assert spent == UNREPORTED.model_copy(update={"unreported_tokens": AT_MOST, "cost_at_most": COST_AT_MOST})


@pytest.mark.parametrize("may_be_billed", [True, False])
def test_an_attempt_without_an_answer_counts_with_its_upper_estimate_if_it_may_be_billed(may_be_billed: bool) -> None:
    async def spent() -> tuple[Usage, Usage]:
        meter = UsageMeter()
        failure = TransientModelError("timeout", "no answer", may_be_billed=may_be_billed)
        model = ModelClient(Fake(failure, failure, "done"), meter, price=PRICE, retry=NO_WAIT)
        return (await model.complete(MESSAGES)).usage, meter.spent

    answered, total = asyncio.run(spent())
    assert answered.cost == pytest.approx(COST)
    if not may_be_billed:
        assert total == answered
        return
    assert (total.calls, total.input_tokens, total.cost) == (1, 100, None)
    assert (total.unreported, total.unreported_tokens) == (2, 2 * AT_MOST)
    assert list(total.cost_bounds) == pytest.approx([COST, COST + 2 * COST_AT_MOST])


def test_a_cancelled_request_counts_with_its_upper_estimate() -> None:
    class Hanging(Fake):
        async def complete(self, *arguments: Any, **keywords: Any) -> Completion:
            self.calls += 1
            return await asyncio.Future()

    async def spent() -> Usage:
        meter, adapter = UsageMeter(), Hanging("never")
        request = asyncio.create_task(ModelClient(adapter, meter, price=PRICE).complete(MESSAGES))
        while not adapter.calls:  # noqa: ASYNC110 - nothing tells when the adapter is called
            await asyncio.sleep(0)
        request.cancel()
        await asyncio.wait([request])
        return meter.spent

    assert asyncio.run(spent()).cost_bounds == (0.0, COST_AT_MOST)


@given(st.lists(st.text()), st.none() | st.lists(st.text(), min_size=1).map(tuple))
def test_no_request_has_more_input_tokens_than_estimated(texts: list[str], choices: tuple[str, ...] | None) -> None:
    messages: list[Message] = [{"role": "user", "content": text} for text in texts]
    constraint = choices and Constraint(ConstraintStyle.JSON, choices)
    size = sum(len(text.encode("utf-8", "replace")) for text in [*texts, *(choices or ())])
    assert input_tokens_at_most(messages, constraint or None) >= size + 10 * len(messages)


def test_a_cached_reply_costs_nothing_and_sends_no_request(tmp_path: Path) -> None:
    adapter = Fake("first", "second")

    async def four_replies() -> list[Completion]:
        cache = ResponseCache(tmp_path / "cache.sqlite")
        meter = UsageMeter()
        model = ModelClient(adapter, meter, cache=cache, price=PRICE)
        replies = [await model.complete(MESSAGES, seed=seed) for seed in (1, 1, 2)]
        assert meter.spent.calls == 2
        replies.append(await model.complete_uncached(MESSAGES, seed=1))
        cache.close()
        return replies

    first, cached, other, uncached = asyncio.run(four_replies())
    assert (first.text, cached.text, other.text, uncached.text) == ("first", "first", "second", "second")
    assert cached.usage == Usage(cache_hits=1)
    assert adapter.calls == 3


def test_a_failure_is_not_cached(tmp_path: Path) -> None:
    adapter = Fake(ModelFailure("empty"), "done")

    async def fail_then_succeed() -> str:
        cache = ResponseCache(tmp_path / "cache.sqlite")
        model = ModelClient(adapter, UsageMeter(), cache=cache)
        with pytest.raises(ModelFailure):
            await model.complete(MESSAGES)
        text = (await model.complete(MESSAGES)).text
        cache.close()
        return text

    assert asyncio.run(fail_then_succeed()) == "done"


def test_waiting_for_a_retry_holds_no_connection() -> None:
    async def overtake() -> str:
        meter = UsageMeter(Limits(max_connections=1))
        waiting = asyncio.create_task(
            ModelClient(Fake(TransientModelError("overloaded", "busy", 50.0)), meter).complete(MESSAGES)
        )
        while not meter.retrying:  # noqa: ASYNC110 - a meter has no event to wait for
            await asyncio.sleep(0)
        text = (await ModelClient(Fake("done"), meter).complete(MESSAGES)).text
        waiting.cancel()
        await asyncio.wait([waiting])
        assert meter.retrying == 0
        return text

    assert asyncio.run(overtake()) == "done"


@pytest.mark.parametrize(
    ("limits", "price", "message"),
    [
        (Limits(max_tokens=110), None, "--max-tokens 110 is reached: 110 tokens are used"),
        (Limits(max_cost=1.0), PRICE, r"--max-cost 1 is reached: \$1.6400 is spent"),
    ],
)
def test_a_reached_limit_prevents_the_next_request(limits: Limits, price: Price | None, message: str) -> None:
    adapter = Fake("done")

    async def twice() -> None:
        model = ModelClient(adapter, UsageMeter(limits), price=price)
        await model.complete(MESSAGES)
        with pytest.raises(LimitReachedError, match=message):
            await model.complete(MESSAGES)

    asyncio.run(twice())
    assert adapter.calls == 1


def test_a_gate_knows_what_counts_if_its_process_dies() -> None:
    known: list[Usage] = []

    class Gate(UsageMeter):
        def request(self, tokens: int, unanswered: Any = None) -> Any:
            known.append(unanswered())
            return super().request(tokens, unanswered)

    asyncio.run(ModelClient(Fake("done"), Gate(), price=PRICE).complete(MESSAGES))
    tokens = input_tokens_at_most(MESSAGES, None)
    assert known == [
        Usage(
            unreported=1,
            cost=None,
            unreported_tokens=tokens + SPEC.max_tokens,
            cost_at_most=PRICE.cost_at_most(tokens, SPEC.max_tokens),
        )
    ]


def test_the_time_limit_prevents_a_retry(clock: Clock) -> None:
    adapter = Fake(TransientModelError("overloaded", "busy", 20.0), "done")
    with pytest.raises(LimitReachedError, match="--max-time 10 s is reached"):
        complete(adapter, Limits(max_time=10.0))
    assert adapter.calls == 1


def test_a_client_has_the_properties_of_its_adapter() -> None:
    adapter = Fake("done", spec=SPEC.model_copy(update={"base_url": "http://somewhere/v1"}))

    async def use() -> None:
        model = ModelClient(adapter, UsageMeter())
        assert (model.spec, model.capabilities) == (adapter.spec, adapter.capabilities)
        assert (model.address, model.fingerprint, model.known_fingerprint) == ("http://somewhere/v1", None, None)
        await model.aclose()

    asyncio.run(use())
    assert adapter.closed

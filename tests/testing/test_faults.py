"""Effects of each fault of an endpoint, by wire format: the error of a model, and the error after all retries."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from ictbench.errors import EndpointRefusedError, IctbenchError, ModelFailure, ModelUnavailableError
from ictbench.models.client import ModelClient, Retry
from ictbench.models.providers.anthropic import AnthropicModel
from ictbench.models.providers.openai import OpenAIModel
from ictbench.models.replies import finish_reply
from ictbench.models.usage_meter import UsageMeter
from ictbench.records import ModelSpec, Usage
from ictbench.testing import Fault, Faults, ScriptedServer
from ictbench.testing.faults import FATAL, TRANSIENT
from ictbench.testing.model_checks import request_outcome
from ictbench.testing.wire_formats import WIRE_FORMATS

if TYPE_CHECKING:
    from ictbench.models.chat_model import ChatModel, Message
    from ictbench.testing.wire_formats import WireName

ADAPTERS: dict[WireName, type[ChatModel]] = {"openai": OpenAIModel, "anthropic": AnthropicModel}
MESSAGES: list[Message] = [{"role": "system", "content": "You play."}, {"role": "user", "content": "A door."}]
RETRY = Retry(attempts=3, base_wait=0.0)

RAISED = {
    Fault.RATE_LIMITED: "transient rate_limited",
    Fault.RATE_LIMITED_AFTER: "transient rate_limited, after 0.01 s",
    Fault.SERVER_ERROR: "transient overloaded",
    Fault.OVERLOADED: "transient overloaded",
    Fault.HANG: "transient timeout",
    Fault.DRIP: "transient timeout",
    Fault.RESET: "transient connection",
    Fault.TRUNCATED: "transient malformed",
    Fault.HTML: "transient malformed",
    Fault.OVERFLOW: "failure context_overflow",
    Fault.NULL: "failure empty",
    Fault.WRONG_MODEL: "refused",
    Fault.UNAUTHORIZED: "refused",
}

AFTER_RETRIES = {
    Fault.RATE_LIMITED: (ModelUnavailableError, "HTTP 429: too many requests (3 attempts"),
    Fault.RATE_LIMITED_AFTER: (ModelUnavailableError, "HTTP 429: too many requests (3 attempts"),
    Fault.SERVER_ERROR: (ModelUnavailableError, "HTTP 500: internal server error (3 attempts"),
    Fault.OVERLOADED: (ModelUnavailableError, "overloaded, try again later (3 attempts"),
    Fault.HANG: (ModelUnavailableError, "no answer within 0.5 s (3 attempts"),
    Fault.DRIP: (ModelUnavailableError, "no answer within 0.5 s (3 attempts"),
    Fault.RESET: (ModelUnavailableError, "(3 attempts"),
    Fault.TRUNCATED: (ModelUnavailableError, "the reply is not"),
    Fault.HTML: (ModelUnavailableError, "<h1>Welcome to the proxy</h1>"),
    Fault.OVERFLOW: (ModelFailure, "context_overflow: HTTP 400: "),
    Fault.NULL: (ModelFailure, "empty"),
    Fault.WRONG_MODEL: (EndpointRefusedError, "HTTP 404: the model does not exist (check the model name 'scripted'"),
    Fault.UNAUTHORIZED: (EndpointRefusedError, "HTTP 401: invalid api key (check "),
}


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY"):
        monkeypatch.setenv(name, "sk-faults-secret")


def opened(wire: WireName, server: ScriptedServer, timeout: float) -> ChatModel:
    url = server.anthropic_url if wire == "anthropic" else server.url
    return ADAPTERS[wire](ModelSpec(provider=wire, model="scripted", base_url=url, timeout=timeout))


def timeout_for(fault: Fault) -> float:
    """Return a short timeout only for faults without a reply, so that a slow machine changes no outcome."""
    return 0.5 if fault in {Fault.HANG, Fault.DRIP} else 60.0


def server_with(fault: Fault) -> ScriptedServer:
    return ScriptedServer(["Action: wait"], faults=Faults({fault: 1.0}, retry_after=0.01))


@pytest.mark.parametrize("wire", ADAPTERS)
@pytest.mark.parametrize("fault", Fault)
def test_a_model_raises_the_error_of_the_fault(fault: Fault, wire: WireName) -> None:
    with server_with(fault) as server:
        assert asyncio.run(request_outcome(opened(wire, server, timeout_for(fault)))) == RAISED[fault]


@pytest.mark.parametrize("wire", ADAPTERS)
@pytest.mark.parametrize("fault", Fault)
def test_the_error_after_all_retries(fault: Fault, wire: WireName) -> None:
    error, message = AFTER_RETRIES[fault]

    async def request(server: ScriptedServer) -> tuple[BaseException, Usage]:
        meter = UsageMeter()
        model = ModelClient(opened(wire, server, timeout_for(fault)), meter, retry=RETRY)
        with pytest.raises(error) as caught:
            await model.complete(MESSAGES)
        await model.aclose()
        return caught.value, meter.spent

    with server_with(fault) as server:
        raised, spent = asyncio.run(request(server))
    assert message in str(raised)
    assert type(raised) is error
    if fault in FATAL:
        assert server.requests == 1
    elif fault not in {Fault.HANG, Fault.DRIP}:
        assert server.requests == 3
    # An empty reply has a cost; a rejected request counts as a call.
    assert spent.calls == (1 if error is ModelFailure else 0)
    assert (spent.input_tokens > 0) is (fault is Fault.NULL)


@pytest.mark.parametrize("wire", ADAPTERS)
@pytest.mark.parametrize("fault", sorted(TRANSIENT - {Fault.HANG, Fault.DRIP}))
def test_a_retry_gets_the_reply_without_the_fault(fault: Fault, wire: WireName) -> None:
    async def twenty_requests(server: ScriptedServer) -> tuple[list[str], int]:
        meter = UsageMeter()
        model = ModelClient(opened(wire, server, 60.0), meter, retry=Retry(attempts=20, base_wait=0.0))
        questions: list[list[Message]] = [[{"role": "user", "content": f"Room {number}"}] for number in range(20)]
        replies = [(await model.complete(question)).text for question in questions]
        await model.aclose()
        return replies, meter.retries

    faults = Faults({fault: 0.3}, retry_after=0)
    with ScriptedServer(lambda body: body["messages"][-1]["content"].upper(), faults=faults) as server:
        replies, retries = asyncio.run(twenty_requests(server))
    assert replies == [f"ROOM {number}" for number in range(20)]
    assert server.faults[fault] == retries > 0


@pytest.mark.parametrize("wire", ADAPTERS)
def test_a_reply_that_drips_arrives_within_a_long_timeout(wire: WireName) -> None:
    with ScriptedServer(["Action: wait"], faults=Faults({"drip": 1.0}, pause=0)) as server:
        assert asyncio.run(request_outcome(opened(wire, server, 60.0))) == "reply"
        assert server.faults == {"drip": 1}


def test_each_fault_is_either_transient_or_fatal() -> None:
    assert set(Fault) == TRANSIENT | FATAL
    assert not TRANSIENT & FATAL
    assert RAISED.keys() == AFTER_RETRIES.keys() == set(Fault)


def test_a_requests_fault_depends_only_on_seed_content_and_repetition() -> None:
    faults = Faults.mixed(0.3, 0.01, seed=1)
    drawn = [faults.draw(f"request {number}", 0) for number in range(500)]
    assert drawn == [faults.draw(f"request {number}", 0) for number in range(500)]
    assert drawn != [faults.draw(f"request {number}", 1) for number in range(500)]
    assert drawn != [Faults.mixed(0.3, 0.01, seed=2).draw(f"request {number}", 0) for number in range(500)]


def test_faults_occur_at_their_rates() -> None:
    faults = Faults({"reset": 0.1, "null": 0.02})
    drawn = [faults.draw(f"request {number}", 0) for number in range(20_000)]
    assert drawn.count(Fault.RESET) / len(drawn) == pytest.approx(0.1, rel=0.1)
    assert drawn.count(Fault.NULL) / len(drawn) == pytest.approx(0.02, rel=0.2)
    assert set(drawn) == {None, Fault.RESET, Fault.NULL}


def test_mixed_faults_have_the_given_shares() -> None:
    rates = Faults.mixed(transient=0.09, fatal=0.002).rates
    assert sum(rates[fault] for fault in TRANSIENT) == pytest.approx(0.09)
    assert {rates[fault] for fault in FATAL} == {0.002}


def test_the_same_requests_meet_the_same_faults_in_any_order() -> None:
    def outcomes_in(order: list[int]) -> dict[int, str]:
        async def request_all(server: ScriptedServer) -> dict[int, str]:
            outcomes = {}
            for number in order:
                model = opened("openai", server, 60.0)
                try:
                    reply = await model.complete([{"role": "user", "content": f"Room {number}"}])
                    outcomes[number] = finish_reply(reply, model.spec).text
                except IctbenchError as error:
                    outcomes[number] = type(error).__name__
                await model.aclose()
            return outcomes

        with ScriptedServer(["Action: wait"], faults=Faults({"server_error": 0.3, "null": 0.2})) as server:
            return asyncio.run(request_all(server))

    numbers = list(range(30))
    outcomes = outcomes_in(numbers)
    assert outcomes == outcomes_in(numbers[::-1])
    assert set(outcomes.values()) == {"Action: wait", "TransientModelError", "ModelFailure"}


def test_faults_are_parsed_from_text() -> None:
    assert Faults.parse("rate_limited:0.02, reset:0.01") == Faults({"rate_limited": 0.02, "reset": 0.01})
    for wrong in ("", "reset", "reset:often", "earthquake:0.1", "reset:-0.1", "reset:0.6,null:0.6"):
        with pytest.raises(ValueError, match=r"reset|earthquake|NAME:RATE|often|shares"):
            Faults.parse(wrong)


def test_every_wire_format_is_tested() -> None:
    assert {wire.name for wire in WIRE_FORMATS} == set(ADAPTERS)

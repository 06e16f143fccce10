from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, Any

import pytest

from ictbench.errors import EndpointRefusedError, IctbenchError, ModelFailure, TransientModelError, UsageError
from ictbench.models.http import JsonClient, MalformedReplyError
from ictbench.testing import Latency, Reply, ScriptedServer

if TYPE_CHECKING:
    from collections.abc import Callable

SECRET = "sk-very-secret"


def post(url: str, read: Callable[[dict[str, Any]], Any] = dict, *, timeout: float = 10) -> Any:
    async def once() -> Any:
        transport = JsonClient(
            url,
            headers={"Authorization": f"Bearer {SECRET}"},
            timeout=timeout,
            hints={401: "check the key", 404: "check the model"},
            secret=SECRET,
        )
        try:
            return await transport.post("chat/completions", {"messages": []}, read)
        finally:
            await transport.aclose()

    return asyncio.run(once())


def raised(reply: Reply, read: Callable[[dict[str, Any]], Any] = dict) -> IctbenchError:
    """The error that a reply leads to, after one try."""
    with ScriptedServer([reply]) as server:
        with pytest.raises(IctbenchError) as caught:
            post(server.url, read)
        assert server.requests == 1
    return caught.value


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (Reply("busy", status=429), "rate_limited"),
        *((Reply("busy", status=status), "overloaded") for status in (408, 409, 500, 502, 503, 529)),
        (Reply(delivery="drop"), "connection"),
        (Reply("cut", delivery="reset"), "connection"),
        (Reply(body='{"choices": [{"mess'), "malformed"),
        (Reply(body="<html>a proxy's page</html>"), "malformed"),
        (Reply(body=[]), "malformed"),
        (Reply(body={"error": {"message": "upstream is busy"}}), "overloaded"),
    ],
)
def test_passing_trouble_is_worth_another_try(reply: Reply, kind: str) -> None:
    trouble = raised(reply)
    assert isinstance(trouble, TransientModelError)
    assert (trouble.kind, trouble.retry_after) == (kind, None)


def test_how_long_the_server_asks_to_wait_is_told() -> None:
    trouble = raised(Reply("later", status=429, headers={"Retry-After": "3600"}))
    assert isinstance(trouble, TransientModelError)
    assert trouble.retry_after == 3600


def test_a_reply_that_the_reader_cannot_use_is_malformed() -> None:
    def read(reply: dict[str, Any]) -> dict[str, Any]:
        raise MalformedReplyError("no choices")

    trouble = raised(Reply(body={"hello": 1}), read)
    assert isinstance(trouble, TransientModelError)
    assert trouble.kind == "malformed"
    assert str(trouble).endswith('no choices: {"hello": 1}')


def test_a_slow_answer_is_a_timeout() -> None:
    with ScriptedServer(["late"], latency=Latency.constant(30)) as server:
        with pytest.raises(TransientModelError, match=r"no answer within 0.05 s") as trouble:
            post(server.url, timeout=0.05)
        assert trouble.value.kind == "timeout"


def test_an_answer_that_drips_is_a_timeout_too() -> None:
    with ScriptedServer([Reply("late", delivery="drip")]) as server:
        with pytest.raises(TransientModelError, match=r"no answer within 0.3 s") as trouble:
            post(server.url, timeout=0.3)
        assert trouble.value.kind == "timeout"


def test_nobody_there() -> None:
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))
        with pytest.raises(TransientModelError, match="Cannot connect") as trouble:
            post(f"http://127.0.0.1:{unheard.getsockname()[1]}/v1")
    assert trouble.value.kind == "connection"


@pytest.mark.parametrize(
    ("status", "hint"),
    [(301, "base URL"), (401, "check the key"), (402, "base URL"), (403, "base URL"), (404, "check the model")],
)
def test_what_no_request_would_escape_stops_the_run(status: int, hint: str) -> None:
    refusal = raised(Reply("no", status=status))
    assert isinstance(refusal, EndpointRefusedError)
    assert hint in str(refusal)


@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_fault_of_the_request_is_the_models_failure(status: int) -> None:
    failure = raised(Reply("unknown role", status=status))
    assert isinstance(failure, ModelFailure)
    assert str(failure) == f"bad_request: HTTP {status}: unknown role"


@pytest.mark.parametrize(
    "reply",
    [
        Reply("This model's maximum context length is 8192 tokens. However, you requested 9000.", status=400),
        Reply(status=400, body={"error": {"message": "too long", "code": "context_length_exceeded"}}),
        Reply("the request exceeds the available context size, try increasing it", status=400),
        Reply("prompt is too long: 213462 tokens > 200000 maximum", status=413),
        Reply(status=422, body={"error": "`inputs` must have less than 4096 tokens. Given: 5000"}),
        Reply("Requested tokens (3000) exceed context window of 2048", status=500),
        Reply(status=200, body={"error": "The number of tokens is greater than the context length"}),
        Reply(status=400, body={"object": "error", "message": "maximum context length", "code": 40303}),
    ],
)
def test_context_overflow_is_recognised_however_it_is_worded(reply: Reply) -> None:
    failure = raised(reply)
    assert isinstance(failure, ModelFailure)
    assert failure.kind == "context_overflow"


def test_an_error_page_is_shown_on_one_line_and_not_whole() -> None:
    page = "<html>\n<h1>Bad Request</h1>\n" + "x" * 5000
    told = str(raised(Reply(body=page, status=400)))
    assert told.startswith("bad_request: HTTP 400: <html> <h1>Bad Request</h1> xxx")
    assert len(told) < 400


def test_a_rate_limit_that_speaks_of_length_is_still_a_rate_limit() -> None:
    trouble = raised(Reply("over the limit of tokens a minute; reduce the length", status=429))
    assert isinstance(trouble, TransientModelError)
    assert trouble.kind == "rate_limited"


def test_a_providers_filter_is_a_refusal() -> None:
    failure = raised(Reply(status=400, body={"error": {"message": "no", "code": "content_filter"}}))
    assert isinstance(failure, ModelFailure)
    assert failure.kind == "refused"


@pytest.mark.parametrize("status", [400, 401, 503])
def test_the_secret_is_in_no_message(status: int) -> None:
    told = str(raised(Reply(f"Incorrect API key provided: {SECRET}.", status=status)))
    assert SECRET not in told
    assert "[key]" in told


def test_connections_are_kept_until_closed_and_closing_twice_is_fine() -> None:
    with ScriptedServer(["done"]) as server:

        async def several() -> None:
            transport = JsonClient(server.url, headers={}, timeout=5, hints={})
            for _ in range(5):
                await transport.post("chat/completions", {"messages": []}, dict)
            await transport.aclose()
            await transport.aclose()

        asyncio.run(several())
        assert (server.requests, server.connections) == (5, 1)


@pytest.mark.parametrize("url", ["localhost:8000/v1", "ftp://host/v1", "http://", "http://[", ""])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match="base URL"):
        JsonClient(url, headers={}, timeout=1, hints={})


def test_a_password_in_the_address_is_refused_and_not_shown() -> None:
    with pytest.raises(UsageError, match="holds a user or a password") as caught:
        JsonClient("https://me:hunter2@example.org/v1", headers={}, timeout=1, hints={})
    assert "hunter2" not in str(caught.value)

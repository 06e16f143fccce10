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
        client = JsonClient(
            url,
            headers={"Authorization": f"Bearer {SECRET}"},
            timeout=timeout,
            hints={401: "check the key", 404: "check the model"},
            secrets=(SECRET,),
        )
        try:
            return await client.post("chat/completions", {"messages": []}, read)
        finally:
            await client.aclose()

    return asyncio.run(once())


def error_for(reply: Reply, read: Callable[[dict[str, Any]], Any] = dict) -> IctbenchError:
    """Return the error that a reply leads to, after one attempt."""
    with ScriptedServer([reply]) as server:
        with pytest.raises(IctbenchError) as caught:
            post(server.url, read)
        assert server.requests == 1
    return caught.value


def test_key_that_a_server_repeats_in_its_reply_is_replaced() -> None:
    repeated = {"system_fingerprint": f"fp-{SECRET}", "choices": [{"message": {"content": f"your key is {SECRET}"}}]}
    with ScriptedServer([Reply(body=repeated)]) as server:
        reply = post(server.url)
    assert reply["system_fingerprint"] == "fp-[key]"
    assert reply["choices"][0]["message"]["content"] == "your key is [key]"


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
def test_transient_errors(reply: Reply, kind: str) -> None:
    error = error_for(reply)
    assert isinstance(error, TransientModelError)
    assert (error.kind, error.retry_after) == (kind, None)


def test_the_error_has_the_servers_retry_after() -> None:
    error = error_for(Reply("later", status=429, headers={"Retry-After": "3600"}))
    assert isinstance(error, TransientModelError)
    assert error.retry_after == 3600


def test_a_reply_that_the_reader_rejects_is_malformed() -> None:
    def read(reply: dict[str, Any]) -> dict[str, Any]:
        raise MalformedReplyError("no choices")

    error = error_for(Reply(body={"hello": 1}), read)
    assert isinstance(error, TransientModelError)
    assert error.kind == "malformed"
    assert str(error).endswith('no choices: {"hello": 1}')


def test_a_slow_answer_is_a_timeout() -> None:
    with ScriptedServer(["late"], latency=Latency.constant(30)) as server:
        with pytest.raises(TransientModelError, match=r"no answer within 0.05 s") as caught:
            post(server.url, timeout=0.05)
        assert caught.value.kind == "timeout"


def test_an_answer_that_arrives_byte_by_byte_is_a_timeout_too() -> None:
    with ScriptedServer([Reply("late", delivery="drip")]) as server:
        with pytest.raises(TransientModelError, match=r"no answer within 0.3 s") as caught:
            post(server.url, timeout=0.3)
        assert caught.value.kind == "timeout"


def test_a_refused_connection_is_a_connection_error() -> None:
    with socket.socket() as not_listening:
        not_listening.bind(("127.0.0.1", 0))
        with pytest.raises(TransientModelError, match="Cannot connect") as caught:
            post(f"http://127.0.0.1:{not_listening.getsockname()[1]}/v1")
    assert caught.value.kind == "connection"
    assert str(caught.value).endswith("[Connection refused]")
    assert "ssl" not in str(caught.value)


@pytest.mark.parametrize(
    ("status", "hint"),
    [(301, "base URL"), (401, "check the key"), (402, "base URL"), (403, "base URL"), (404, "check the model")],
)
def test_errors_that_stop_the_run_say_what_to_check(status: int, hint: str) -> None:
    error = error_for(Reply("no", status=status))
    assert isinstance(error, EndpointRefusedError)
    assert hint in str(error)


@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_rejected_request_is_a_model_failure(status: int) -> None:
    failure = error_for(Reply("unknown role", status=status))
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
def test_context_overflow_is_recognised_in_every_wording(reply: Reply) -> None:
    failure = error_for(reply)
    assert isinstance(failure, ModelFailure)
    assert failure.kind == "context_overflow"


def test_an_error_page_is_shown_as_a_short_line() -> None:
    page = "<html>\n<h1>Bad Request</h1>\n" + "x" * 5000
    message = str(error_for(Reply(body=page, status=400)))
    assert message.startswith("bad_request: HTTP 400: <html> <h1>Bad Request</h1> xxx")
    assert len(message) < 400


def test_a_rate_limit_that_mentions_length_is_still_a_rate_limit() -> None:
    error = error_for(Reply("over the limit of tokens a minute; reduce the length", status=429))
    assert isinstance(error, TransientModelError)
    assert error.kind == "rate_limited"


def test_a_content_filter_is_a_refusal() -> None:
    failure = error_for(Reply(status=400, body={"error": {"message": "no", "code": "content_filter"}}))
    assert isinstance(failure, ModelFailure)
    assert failure.kind == "refused"


@pytest.mark.parametrize("status", [400, 401, 503])
def test_errors_do_not_contain_the_secret(status: int) -> None:
    message = str(error_for(Reply(f"Incorrect API key provided: {SECRET}.", status=status)))
    assert SECRET not in message
    assert "[key]" in message


def test_a_connection_is_reused_and_closing_twice_is_allowed() -> None:
    with ScriptedServer(["done"]) as server:

        async def several() -> None:
            client = JsonClient(server.url, headers={}, timeout=5, hints={})
            for _ in range(5):
                await client.post("chat/completions", {"messages": []}, dict)
            await client.aclose()
            await client.aclose()

        asyncio.run(several())
        assert (server.requests, server.connections) == (5, 1)


def test_white_space_around_the_base_url_is_dropped() -> None:
    with ScriptedServer(["done"]) as server:
        assert post(f" {server.url}\n")["choices"]


@pytest.mark.parametrize("url", ["http://host/v 1", "http://host/v1\t/x", "http://ho st/v1", "http://host/v1\x00"])
def test_white_space_within_the_base_url_is_an_error(url: str) -> None:
    with pytest.raises(UsageError, match="base URL"):
        JsonClient(url, headers={}, timeout=1, hints={})


@pytest.mark.parametrize("url", ["localhost:8000/v1", "ftp://host/v1", "http://", "http://[", ""])
def test_an_invalid_base_url_is_an_error(url: str) -> None:
    with pytest.raises(UsageError, match="base URL"):
        JsonClient(url, headers={}, timeout=1, hints={})


def test_a_password_in_the_base_url_is_an_error_that_does_not_show_it() -> None:
    with pytest.raises(UsageError, match="user name or a password; remove it") as caught:
        JsonClient("https://me:hunter2@example.org/v1", headers={}, timeout=1, hints={})
    assert "hunter2" not in str(caught.value)

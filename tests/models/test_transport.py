from __future__ import annotations

import asyncio
import socket
import threading
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

import pytest

from ictbench.errors import ModelFailure, ModelUnavailableError, UsageError
from ictbench.models.transport import JsonTransport, MalformedReplyError, Retry, _retry_after
from ictbench.testing import Latency, Reply, ScriptedServer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

SECRET = "sk-very-secret"
PATIENT = Retry(base=0.0)


def post(url: str, read: Callable[[dict[str, Any]], Any] = dict, *, timeout: float = 10, retry: Retry = PATIENT) -> Any:
    async def once() -> Any:
        transport = JsonTransport(
            url,
            headers={"Authorization": f"Bearer {SECRET}"},
            timeout=timeout,
            retry=retry,
            hints={401: "check the key", 404: "check the model"},
            secret=SECRET,
        )
        try:
            return await transport.post("chat/completions", {"messages": []}, read)
        finally:
            await transport.aclose()

    return asyncio.run(once())


def ask(answers: Sequence[str | Reply], **options: Any) -> tuple[Any, ScriptedServer]:
    with ScriptedServer(answers) as server:
        return post(server.url, **options), server


@pytest.mark.parametrize(
    "passing",
    [
        *(Reply("busy", status=status) for status in (408, 409, 429, 500, 502, 503, 529)),
        Reply(drop=True),
        Reply(body='{"choices": [{"mess'),
        Reply(body="<html>a proxy's page</html>"),
        Reply(body=[]),
        Reply(body={"error": {"message": "upstream is busy"}}),
    ],
)
def test_passing_trouble_is_tried_again(passing: Reply) -> None:
    reply, server = ask([passing, passing, "done"])
    assert reply["choices"][0]["message"]["content"] == "done"
    assert server.requests == 3


def test_a_reply_that_the_reader_cannot_use_is_tried_again() -> None:
    def read(reply: dict[str, Any]) -> dict[str, Any]:
        if "choices" not in reply:
            raise MalformedReplyError("no choices")
        return reply

    _, server = ask([Reply(body={"hello": 1}), "done"], read=read)
    assert server.requests == 2
    with pytest.raises(ModelUnavailableError, match=r'no choices: \{"hello": 1\} \(5 tries'):
        ask([Reply(body={"hello": 1})], read=read)


def test_after_five_tries_it_gives_up_and_says_why() -> None:
    with ScriptedServer([Reply("all on fire", status=503, headers={"Retry-After": "0"})]) as server:
        with pytest.raises(ModelUnavailableError, match=r"HTTP 503: all on fire \(5 tries, 0 s of waiting\)"):
            post(server.url, retry=Retry())
        assert server.requests == 5


def test_a_wait_longer_than_the_budget_is_not_begun() -> None:
    with ScriptedServer([Reply("later", status=429, headers={"Retry-After": "3600"})]) as server:
        with pytest.raises(ModelUnavailableError, match=r"later \(1 try, 0 s"):
            post(server.url, retry=Retry())
        assert server.requests == 1


def test_a_slow_answer_is_a_timeout() -> None:
    with ScriptedServer(["late"], latency=Latency.constant(30)) as server:
        with pytest.raises(ModelUnavailableError, match=r"no answer within 0.05 s"):
            post(server.url, timeout=0.05, retry=Retry(tries=2, base=0.0))
        assert server.requests == 2


def test_nobody_there() -> None:
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))
        with pytest.raises(ModelUnavailableError, match="Cannot connect"):
            post(f"http://127.0.0.1:{unheard.getsockname()[1]}/v1")


def test_a_body_cut_short_on_the_wire_is_tried_again() -> None:
    whole = b'{"whole": true}'
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            for sent in (whole[:5], whole):
                connection, _ = listener.accept()
                with connection:
                    connection.recv(65536)
                    head = f"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {len(whole)}\r\n\r\n"
                    connection.sendall(head.encode() + sent)

        thread = threading.Thread(target=serve)
        thread.start()
        assert post(f"http://127.0.0.1:{listener.getsockname()[1]}/v1") == {"whole": True}
        thread.join()


@pytest.mark.parametrize(
    ("status", "hint"),
    [(301, "base URL"), (401, "check the key"), (402, "base URL"), (403, "base URL"), (404, "check the model")],
)
def test_what_no_request_would_escape_is_not_tried_again(status: int, hint: str) -> None:
    with ScriptedServer([Reply("no", status=status)]) as server:
        with pytest.raises(ModelUnavailableError, match=hint):
            post(server.url)
        assert server.requests == 1


@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_fault_of_the_request_is_the_models_failure(status: int) -> None:
    with ScriptedServer([Reply("unknown role", status=status)]) as server:
        with pytest.raises(ModelFailure, match="unknown role") as failure:
            post(server.url)
        assert (failure.value.kind, server.requests) == ("bad_request", 1)


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
    with ScriptedServer([reply]) as server:
        with pytest.raises(ModelFailure) as failure:
            post(server.url)
        assert (failure.value.kind, server.requests) == ("context_overflow", 1)


def test_an_error_page_is_shown_on_one_line_and_not_whole() -> None:
    page = "<html>\n<h1>Bad Request</h1>\n" + "x" * 5000
    with ScriptedServer([Reply(body=page, status=400)]) as server, pytest.raises(ModelFailure) as failure:
        post(server.url)
    assert str(failure.value).startswith("bad_request: HTTP 400: <html> <h1>Bad Request</h1> xxx")
    assert len(str(failure.value)) < 400


def test_a_rate_limit_that_speaks_of_length_is_still_a_rate_limit() -> None:
    _, server = ask([Reply("over the limit of tokens a minute; reduce the length", status=429), "done"])
    assert server.requests == 2


def test_a_providers_filter_is_a_refusal() -> None:
    with ScriptedServer([Reply(status=400, body={"error": {"message": "no", "code": "content_filter"}})]) as server:
        with pytest.raises(ModelFailure) as failure:
            post(server.url)
        assert failure.value.kind == "refused"


@pytest.mark.parametrize("status", [400, 401, 503])
def test_the_secret_is_in_no_message(status: int) -> None:
    with ScriptedServer([Reply(f"Incorrect API key provided: {SECRET}.", status=status)]) as server:
        with pytest.raises((ModelFailure, ModelUnavailableError)) as caught:
            post(server.url)
        assert SECRET not in str(caught.value)
        assert "[key]" in str(caught.value)


def test_connections_are_kept_until_closed_and_closing_twice_is_fine() -> None:
    with ScriptedServer(["done"]) as server:

        async def several() -> None:
            transport = JsonTransport(server.url, headers={}, timeout=5, retry=PATIENT, hints={})
            for _ in range(5):
                await transport.post("chat/completions", {"messages": []}, dict)
            await transport.aclose()
            await transport.aclose()

        asyncio.run(several())
        assert (server.requests, server.connections) == (5, 1)


@pytest.mark.parametrize("url", ["localhost:8000/v1", "ftp://host/v1", "http://", "http://[", ""])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match="base URL"):
        JsonTransport(url, headers={}, timeout=1, retry=PATIENT, hints={})


def test_a_password_in_the_address_is_refused_and_not_shown() -> None:
    with pytest.raises(UsageError, match="holds a user or a password") as caught:
        JsonTransport("https://me:hunter2@example.org/v1", headers={}, timeout=1, retry=PATIENT, hints={})
    assert "hunter2" not in str(caught.value)


def test_waits_double_and_stay_within_the_budget() -> None:
    retry = Retry(tries=5, base=1.0, longest=60.0)
    for failed in range(1, 5):
        wait = retry.wait(failed, None, 0.0)
        assert wait is not None
        assert 0.5 * 2 ** (failed - 1) <= wait <= 1.65 * 2 ** (failed - 1)
    assert retry.wait(5, None, 0.0) is None
    assert retry.wait(1, 60.0, 0.0) == 60.0
    assert retry.wait(1, 10.0, 55.0) is None
    assert retry.wait(1, 0.0, 60.0) == 0.0


def test_retry_after_is_read_as_number_and_as_date() -> None:
    assert _retry_after({"Retry-After": "1.5"}) == 1.5
    assert _retry_after({"Retry-After": "-3"}) == 0.0
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    seconds = _retry_after({"Retry-After": soon})
    assert seconds is not None
    assert 25 < seconds <= 30
    for unreadable in ("", "soon", "nan"):
        assert _retry_after({"Retry-After": unreadable}) is None

"""Requests without a reported usage, over real connections: which of them may have been billed."""

from __future__ import annotations

import asyncio
import socket
import socketserver
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from own_addresses import serve_as

from ictbench.errors import IctbenchError
from ictbench.models import ModelPool, UsageMeter
from ictbench.models.client import Retry
from ictbench.records import ModelSpec

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ictbench.models import Message
    from ictbench.records import Usage

MESSAGES: list[Message] = [{"role": "user", "content": "A door."}]
PROVIDERS = {
    "openai": "gpt-4.1-mini",
    "anthropic": "claude-haiku-4-5",
    "litellm": "openai/gpt-4.1-mini",
    "vllm": "m",
    "llama-cpp": "m",
}
VARIABLES = {"openai": "OPENAI_BASE_URL", "litellm": "OPENAI_BASE_URL", "anthropic": "ANTHROPIC_BASE_URL"}
"""Variables that replace the address of a provider whose prices are known."""
ERROR = b'{"error": {"message": "sorry", "type": "api_error"}}'


def response(status: int, body: bytes) -> bytes:
    head = f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


ANSWERS: dict[str, bytes | None] = {
    "silence": None,
    "a lost connection": b"",
    "half a reply": response(200, b'{"choices": [')[:-5],
    "no JSON": response(200, b"<html>"),
    **{f"status {status}": response(status, ERROR) for status in (400, 401, 429, 500, 503)},
}
UNBILLED = {"no connection", "status 400", "status 401", "status 429", "status 503"}


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY"):
        monkeypatch.setenv(name, "sk-of-a-test")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(answer: bytes | None) -> Iterator[str]:
    """Serve the same answer to every request, and return the base URL."""
    over = threading.Event()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            size = 0
            while (line := self.rfile.readline()) not in (b"\r\n", b""):
                if line.lower().startswith(b"content-length:"):
                    size = int(line.partition(b":")[2])
            self.rfile.read(size)
            if answer is None:
                over.wait(30)
            else:
                self.wfile.write(answer)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/v1"
        over.set()
        server.shutdown()
        thread.join()


def spent(provider: str, url: str, timeout: float, monkeypatch: pytest.MonkeyPatch) -> Usage:
    """Return what one request to a server has cost."""
    variable = VARIABLES.get(provider)
    if variable:
        serve_as("anthropic" if provider == "anthropic" else "openai", url, monkeypatch)
    spec = ModelSpec(
        provider=provider,
        model=PROVIDERS[provider],
        base_url=None if variable else url,
        timeout=timeout,
        max_tokens=100,
    )

    async def ask() -> Usage:
        meter = UsageMeter()
        pool = ModelPool(meter, retry=Retry(attempts=1))
        with pytest.raises(IctbenchError):
            await pool.open(spec).complete_uncached(MESSAGES)
        await pool.aclose()
        return meter.spent

    return asyncio.run(ask())


@pytest.mark.parametrize("answer", ["no connection", *ANSWERS])
@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_request_without_usage_counts_with_an_upper_estimate_unless_it_was_turned_away(
    provider: str, answer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if answer in ANSWERS:
        with serving(ANSWERS[answer]) as url:
            usage = spent(provider, url, 0.5 if answer == "silence" else 20, monkeypatch)
    else:
        usage = spent(provider, f"http://127.0.0.1:{free_port()}/v1", 20, monkeypatch)
    is_priced: Any = provider in VARIABLES
    if answer in UNBILLED:
        assert usage.unreported == 0
        assert usage.cost == 0 or not is_priced
        return
    assert (usage.unreported, usage.tokens, usage.cost) == (1, 0, None)
    assert usage.unreported_tokens > 100
    least, most = usage.cost_bounds
    assert least == 0
    assert (most or 0) > 0 if is_priced else most is None

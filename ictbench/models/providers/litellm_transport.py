"""litellm's requests over our own transport, so that proxies, certificates and limits are those of every provider."""

from __future__ import annotations

import asyncio
from contextvars import ContextVar
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import httpx
import litellm
from litellm.llms.custom_httpx.http_handler import AsyncHTTPHandler
from yarl import URL

from ictbench.errors import IctbenchError, TransientModelError
from ictbench.models.certificates import tls_context
from ictbench.models.http import classify_response
from ictbench.models.proxies import find_proxy
from ictbench.models.redact import Redactor
from ictbench.models.transport import Transport

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ictbench.models.transport import Response

MAX_OBJECTS = 50_000
"""Most JSON objects of a reply: those of 2,000 tokens with 20 alternatives each. litellm takes half a minute to read so
many, and everything else waits meanwhile."""
DECODED = frozenset({"content-encoding", "content-length", "transfer-encoding"})
"""Headers that do not describe a body that is read and decompressed."""
DEFAULT_SECONDS = 600.0

received: ContextVar[list[Response] | None] = ContextVar("received", default=None)
"""Receives the responses to the requests that litellm makes for one completion, without secrets."""


class SharedTransport(httpx.AsyncBaseTransport):
    """Transport of an httpx client. A failed request raises our own errors, see `find_own_error`."""

    def __init__(self) -> None:
        self._redact = Redactor.from_environment()
        self._transport = Transport(self._redact)
        self._loop: asyncio.AbstractEventLoop | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request and return its complete response."""
        # litellm keeps its clients for the life of the process; connections belong to one event loop.
        if self._loop is not (loop := asyncio.get_running_loop()):
            self._redact = Redactor.from_environment()
            self._loop, self._transport = loop, Transport(self._redact)
        seconds = request.extensions.get("timeout", {}).get("read") or DEFAULT_SECONDS
        response = await self._transport.send(
            request.method,
            URL(str(request.url), encoded=True),
            headers={name: value for name, value in request.headers.items() if name.lower() not in DECODED},
            data=await request.aread(),
            seconds=seconds,
        )
        if 300 <= response.status < 400:
            # litellm's client would follow, and send the key to the other address.
            raise classify_response(response, self._redact, {})
        if response.content.count(b"{") > MAX_OBJECTS:
            raise TransientModelError(
                "malformed", f"{response.endpoint}: the reply has more than {MAX_OBJECTS:,} parts"
            )
        response = replace(response, content=self._redact.in_reply(response.content))
        if (responses := received.get()) is not None:
            responses.append(response)
        headers = [(name, value) for name, value in response.headers.items() if name.lower() not in DECODED]
        return httpx.Response(response.status, headers=headers, content=response.content, request=request)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._transport.aclose()


class BlockingTransport(httpx.BaseTransport):
    """Transport of litellm's few blocking requests, such as a question to Ollama about a model; without SOCKS."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request through the proxy of its URL, and return the response."""
        proxy = find_proxy(URL(str(request.url), encoded=True))
        if proxy and proxy.is_socks:
            raise httpx.ProxyError(f"{proxy} speaks SOCKS, which litellm's blocking requests cannot use")
        with httpx.HTTPTransport(verify=tls_context(), proxy=str(proxy.url) if proxy else None) as transport:
            response = transport.handle_request(request)
            response.read()
            return response


def use_shared_transport() -> None:
    """Make litellm send all requests over these transports; it has a setting for blocking ones only."""
    litellm.sync_transport = BlockingTransport()
    AsyncHTTPHandler.create_async_transport = staticmethod(_create_transport)  # type: ignore[method-assign, assignment]


def find_own_error(error: BaseException) -> IctbenchError | None:
    """Return our own error that caused one of litellm's, if there is one."""
    return next((cause for cause in _causes(error) if isinstance(cause, IctbenchError)), None)


def _create_transport(*_: Any, **__: Any) -> SharedTransport:
    return SharedTransport()


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    following: BaseException | None = error
    while following is not None and id(following) not in seen:
        seen.add(id(following))
        yield following
        following = following.__cause__ or following.__context__

"""HTTP requests of all providers: proxies, certificates, time limits, bounded replies, and classified errors."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import aiohttp

from ictbench.errors import EndpointRefusedError, TransientModelError
from ictbench.models.certificates import certificate_error, tls_context
from ictbench.models.http_errors import never_connected
from ictbench.models.proxies import Proxy, find_proxy
from ictbench.models.redact import Redactor

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping

    from aiohttp.abc import AbstractResolver
    from yarl import URL

    from ictbench.errors import IctbenchError

CONNECT_SECONDS = 15.0
MAX_REPLY_BYTES = 16 * 2**20
"""Largest body of a reply, decompressed. The longest replies of models have about a tenth of it."""
MAX_ERROR_BYTES = 2**16
"""Part of an error's body that is read."""
NOT_TLS = ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE")
"""OpenSSL's reasons when the server answers without TLS."""


@dataclass(frozen=True, slots=True)
class Response:
    """A response, read completely unless it is an error."""

    status: int
    headers: Mapping[str, str]
    content: bytes
    url: URL
    proxy: Proxy | None

    @property
    def endpoint(self) -> str:
        """Where it comes from, as shown to the user."""
        return _endpoint(self.url, self.proxy)


class Transport:
    """Sends requests over kept-alive connections, which are opened on first use, in the event loop running then."""

    def __init__(self, redact: Redactor | None = None, resolver: AbstractResolver | None = None) -> None:
        """Open nothing yet.

        Args:
            redact: Removes secrets from errors.
            resolver: Resolver of the host names to which connections are made without a proxy; None for the usual one.
        """
        self._resolver = resolver
        self._redact = redact or Redactor()
        self._sessions: dict[tuple[str, Proxy | None], aiohttp.ClientSession] = {}
        """Sessions by scheme and SOCKS proxy; other proxies are chosen by request."""
        self._proxies: dict[tuple[str, str | None, int | None], Proxy | None] = {}
        """Proxies by scheme, host and port."""

    def proxy(self, url: URL) -> Proxy | None:
        """Return the proxy of a URL.

        Raises:
            UsageError: The environment names a proxy, or certificates, that cannot be used.
        """
        key = url.scheme, url.host, url.port
        if key not in self._proxies:
            if url.scheme == "https":
                tls_context()
            self._proxies[key] = find_proxy(url)
        return self._proxies[key]

    async def send(
        self,
        method: str,
        url: URL,
        *,
        headers: Mapping[str, str],
        data: bytes | None,
        seconds: float,
        most: int | None = None,
        decompress: bool = True,
    ) -> Response:
        """Make one request, without following redirects.

        Args:
            method: HTTP method.
            url: Full URL.
            headers: HTTP headers.
            data: Body; None for a request without one.
            seconds: Time that the request may take.
            most: Maximum bytes of the reply's body; None for `MAX_REPLY_BYTES`.
            decompress: Whether to undo a compression that the reply states.

        Raises:
            TransientModelError: No reply arrived, or one that is too long; another attempt may succeed.
            EndpointRefusedError: Certificate, protocol or proxy make every request fail.
        """
        proxy = self.proxy(url)
        try:
            async with self._session(url.scheme, proxy).request(
                method,
                url,
                data=data,
                headers=headers,
                # Following a redirect would turn a POST into a GET.
                allow_redirects=False,
                proxy=proxy.url if proxy and not proxy.is_socks else None,
                timeout=_timeout(seconds),
                auto_decompress=decompress,
            ) as response:
                limit = (MAX_REPLY_BYTES if most is None else most) if response.ok else MAX_ERROR_BYTES
                content = await _read(response, limit)
        except _errors(proxy) as error:
            raise self._classify(error, _endpoint(url, proxy), proxy, seconds) from None
        if len(content) > limit and response.ok:
            size = f"{limit >> 20} MiB" if most is None else f"{most:,} bytes"
            raise TransientModelError("malformed", f"{_endpoint(url, proxy)}: the reply is longer than {size}")
        if response.status == 407 and proxy:
            raise EndpointRefusedError(
                f"{_endpoint(url, proxy)}: HTTP 407 (check user name and password in {proxy.variable})"
            )
        return Response(response.status, response.headers, content[:limit], url, proxy)

    async def aclose(self) -> None:
        """Close all connections."""
        sessions, self._sessions = self._sessions, {}
        for session in sessions.values():
            await session.close()

    def _session(self, scheme: str, proxy: Proxy | None) -> aiohttp.ClientSession:
        key = scheme, proxy if proxy and proxy.is_socks else None
        if key not in self._sessions:
            tls = tls_context() if scheme == "https" or proxy else True
            self._sessions[key] = aiohttp.ClientSession(
                # Concurrency is limited by the usage meter; a second limit here would only hide that one.
                connector=_socks_connector(key[1], tls)
                if key[1]
                else aiohttp.TCPConnector(limit=0, ssl=tls, resolver=None if proxy else self._resolver),
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._sessions[key]

    def _classify(self, error: Exception, endpoint: str, proxy: Proxy | None, seconds: float) -> IctbenchError:
        redact = Redactor(*proxy.secrets) if proxy else Redactor()
        text = redact(self._redact(str(error) or type(error).__name__))
        if isinstance(error, aiohttp.ConnectionTimeoutError) or type(error).__name__ == "ProxyTimeoutError":
            message = f"{endpoint}: no connection within {min(CONNECT_SECONDS, seconds):g} s"
            return TransientModelError("connection", message, may_be_billed=False)
        if isinstance(error, TimeoutError):
            return TransientModelError("timeout", f"{endpoint}: no answer within {seconds:g} s")
        if reason := certificate_error(error):
            return EndpointRefusedError(
                f"{endpoint}: its certificate is not trusted: {reason} "
                "(set SSL_CERT_FILE to a PEM file with the certificate of its authority)"
            )
        if isinstance(error, aiohttp.ClientConnectorSSLError) and any(reason in text for reason in NOT_TLS):
            return EndpointRefusedError(f"{endpoint}: it does not answer in TLS (does its address start with http://?)")
        if proxy and (refusal := _proxy_refusal(error, proxy)):
            return EndpointRefusedError(f"{endpoint}: {redact(refusal)}")
        message = f"{endpoint}: {_connection_problem(error, text)}"
        return TransientModelError("connection", message, may_be_billed=not never_connected(error))


@lru_cache
def _timeout(seconds: float) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(total=seconds, sock_connect=min(CONNECT_SECONDS, seconds))


def _endpoint(url: URL, proxy: Proxy | None) -> str:
    """Return a URL, without its query, and its proxy if there is one."""
    return f"{url.with_query(None)} through {proxy}" if proxy else str(url.with_query(None))


async def _read(response: aiohttp.ClientResponse, limit: int) -> bytes:
    """Return the body, or the first part of it, which is longer than `limit`."""
    content = bytearray(await response.content.readany())
    while len(content) <= limit and not response.content.at_eof():
        content += await response.content.readany()
    if len(content) > limit:
        # Otherwise the connection would be kept until the rest has arrived.
        response.close()
    return bytes(content)


def _connection_problem(error: Exception, text: str) -> str:
    """Return the text of an error without aiohttp's own details, such as `ssl:default` for an http address."""
    if not isinstance(error, aiohttp.ClientConnectorError):
        return text
    plain = re.sub(r" ssl:.*? \[", " [", text)
    return re.sub(r"Connect call failed \(.*\)", os.strerror(error.errno), plain) if error.errno else plain


def _proxy_refusal(error: Exception, proxy: Proxy) -> str:
    """Return why a proxy refuses all requests; empty if another attempt may succeed."""
    if isinstance(error, aiohttp.ClientHttpProxyError):
        text = f"the proxy answers {error.status} {error.message}".rstrip()
        refuses = 400 <= error.status < 500 and error.status not in {408, 425, 429}
    else:
        text = str(error)
        refuses = proxy.is_socks and ("authenticat" in text.lower() or "not allowed" in text.lower())
    return f"{text} (check user name, password and host in {proxy.variable})" if refuses else ""


def _socks_connector(proxy: Proxy, tls: ssl.SSLContext | bool) -> aiohttp.BaseConnector:
    from aiohttp_socks import ProxyConnector, ProxyType  # 50 ms, needed by few

    assert proxy.url.host is not None
    assert proxy.url.port is not None
    connector: aiohttp.BaseConnector = ProxyConnector(
        host=proxy.url.host,
        port=proxy.url.port,
        proxy_type=ProxyType.SOCKS4 if proxy.url.scheme.startswith("socks4") else ProxyType.SOCKS5,
        username=proxy.url.user,
        password=proxy.url.password,
        rdns=proxy.resolves_names,
        limit=0,
        ssl=tls,
    )
    return connector


def _errors(proxy: Proxy | None) -> tuple[type[Exception], ...]:
    """Return the exceptions of a failed request."""
    errors: tuple[type[Exception], ...] = (aiohttp.ClientError, OSError)
    if proxy is None or not proxy.is_socks:
        return errors
    from aiohttp_socks import ProxyConnectionError, ProxyError, ProxyTimeoutError

    return (*errors, ProxyConnectionError, ProxyError, ProxyTimeoutError)

"""JSON over HTTP to a model's endpoint: kept connections, and who is to blame for what went wrong."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.request import getproxies, proxy_bypass

import aiohttp
from yarl import URL

from ictbench.errors import TransientModelError, UsageError
from ictbench.models.http_errors import blame, excerpt, retry_after

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ictbench.errors import IctbenchError, TransientKind

T = TypeVar("T")

CONNECT_SECONDS = 15.0
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
"""This machine is reached without a proxy."""


class MalformedReplyError(Exception):
    """A reply that is not what the endpoint should answer, e.g. cut short by a proxy: worth another try."""


class JsonClient:
    """POSTs JSON to one endpoint. Connections are opened on first use, in the event loop that is running then.

    `hints` tells the user what to check, by HTTP status. `secret` never occurs in an error message.
    """

    def __init__(
        self,
        base_url: str,
        *,
        headers: Mapping[str, str],
        timeout: float,
        hints: Mapping[int, str],
        secret: str | None = None,
    ) -> None:
        """Check the address.

        Raises:
            UsageError: not an http(s) address, or one that holds a password.
        """
        try:
            url = URL(base_url)
        except ValueError as error:
            raise UsageError(f"the base URL {base_url!r} cannot be read: {error}") from None
        if url.password or url.user:
            raise UsageError(f"the base URL of {url.host} holds a user or a password; give the key in its variable")
        if url.query_string or url.fragment:
            raise UsageError(f"the base URL of {url.host} holds a ?query or a #fragment; leave that out")
        if url.scheme not in {"http", "https"} or not url.host:
            raise UsageError(f"the base URL {base_url!r} is not an http:// or https:// address")
        self._base = url
        self._headers = {"Content-Type": "application/json", "User-Agent": "ictbench", **headers}
        self._timeout = timeout
        self._hints = hints
        self._secret = secret
        self._session: aiohttp.ClientSession | None = None

    async def post(self, path: str, body: Any, read: Callable[[dict[str, Any]], T]) -> T:
        """What `read` makes of the endpoint's answer to `body`. One try; `read` may raise MalformedReplyError.

        Raises:
            ModelFailure: the endpoint says that the request itself is at fault.
            TransientModelError: another try may succeed.
            EndpointRefusedError: it will not serve us.
        """
        url = self._base / path
        data = json.dumps(body, separators=(",", ":")).encode()
        try:
            # A redirected POST becomes a GET, so a redirect is reported and not followed.
            async with self._opened().post(url, data=data, allow_redirects=False) as response:
                content = await response.read()
                status, headers = response.status, response.headers
        except TimeoutError:
            raise self._transient("timeout", f"no answer within {self._timeout:g} s") from None
        except (aiohttp.ClientError, OSError) as error:
            raise self._transient("connection", str(error) or type(error).__name__) from None
        if status != 200:
            raise self._refused(url, status, content, retry_after(headers))
        try:
            reply = json.loads(content)
        except ValueError:
            raise self._transient("malformed", f"the answer is not JSON: {excerpt(content)}") from None
        if not isinstance(reply, dict):
            raise self._transient("malformed", f"the answer is not a JSON object: {excerpt(content)}")
        if reply.get("error"):
            # Some gateways and LM Studio report an error with status 200.
            raise self._refused(url, status, content, None)
        try:
            return read(reply)
        except MalformedReplyError as error:
            raise self._transient("malformed", f"{error}: {excerpt(content)}") from None

    async def aclose(self) -> None:
        """Close all connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _refused(self, url: URL, status: int, content: bytes, asked: float | None) -> IctbenchError:
        """The error for a reply that reports one."""
        code, text = (self._clean(part) for part in _error_of(content))
        return blame(status, code, text, endpoint=str(url), hints=self._hints, asked=asked)

    def _transient(self, kind: TransientKind, said: str, asked: float | None = None) -> TransientModelError:
        return TransientModelError(kind, self._clean(f"{self._base}: {said}"), asked)

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            host = self._base.host or ""
            self._session = aiohttp.ClientSession(
                # The engine bounds concurrency; a second bound here would only hide it.
                connector=aiohttp.TCPConnector(limit=0),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers=self._headers,
                # Not trust_env: it reads ~/.netrc in a thread for every request.
                proxy=None if host in LOOPBACK or proxy_bypass(host) else getproxies().get(self._base.scheme),
                timeout=aiohttp.ClientTimeout(total=self._timeout, sock_connect=CONNECT_SECONDS),
            )
        return self._session

    def _clean(self, text: str) -> str:
        return text.replace(self._secret, "[key]") if self._secret else text


def _error_of(content: bytes) -> tuple[str, str]:
    """Code and text of an error reply, in whichever of the usual places they are."""
    try:
        reply = json.loads(content)
    except ValueError:
        return "", excerpt(content)
    error = reply.get("error", reply) if isinstance(reply, dict) else reply
    if not isinstance(error, dict):
        return "", excerpt(str(error))
    text = error.get("message") or error.get("detail") or json.dumps(error)
    code = error.get("code") or error.get("type") or ""
    return str(code), excerpt(str(text))

"""JSON over HTTP to a model's endpoint, with kept-alive connections and classified errors."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.request import getproxies, proxy_bypass

import aiohttp
from yarl import URL

from ictbench.errors import TransientModelError, UsageError
from ictbench.models.http_errors import classify_http_error, excerpt, never_connected, parse_retry_after
from ictbench.models.redact import Redactor

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ictbench.errors import IctbenchError, TransientKind

T = TypeVar("T")

CONNECT_SECONDS = 15.0
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
"""Hosts that are reached without a proxy."""


class MalformedReplyError(Exception):
    """A response that is not what the endpoint should send, e.g. cut short by a proxy: worth another attempt."""


class JsonClient:
    """Client that POSTs JSON to one endpoint. Connections are opened on first use, in the event loop running then."""

    def __init__(
        self,
        base_url: str,
        *,
        headers: Mapping[str, str],
        timeout: float,
        hints: Mapping[int, str],
        secret: str | None = None,
    ) -> None:
        """Check the base URL.

        Args:
            base_url: The endpoint's base URL.
            headers: HTTP headers of every request.
            timeout: Seconds that one request may take.
            hints: What the user should check, by HTTP status.
            secret: An API key that must never occur in an error message.

        Raises:
            UsageError: The base URL is not an http(s) address, or it contains a password, a query or a fragment.
        """
        self._base = _parse_base_url(base_url)
        self._headers = {"Content-Type": "application/json", "User-Agent": "ictbench", **headers}
        self._timeout = timeout
        self._hints = hints
        self._redact = Redactor(secret or "")
        self._session: aiohttp.ClientSession | None = None

    async def post(self, path: str, body: Any, read: Callable[[dict[str, Any]], T]) -> T:
        """Send `body` and return the reply as converted by `read`. Makes one attempt.

        Args:
            path: Path below the base URL.
            body: JSON value to send.
            read: Converts the reply, a JSON object; it may raise MalformedReplyError.

        Raises:
            ModelFailure: The endpoint reports that the request itself is at fault.
            TransientModelError: Another attempt may succeed.
            EndpointRefusedError: No request to this endpoint can succeed.
        """
        url = self._base / path
        data = json.dumps(body, separators=(",", ":")).encode()
        try:
            # Following a redirect would turn the POST into a GET, so a redirect is an error.
            async with self._open_session().post(url, data=data, allow_redirects=False) as response:
                content = await response.read()
                status, headers = response.status, response.headers
        except TimeoutError as error:
            failure = self._transient("timeout", f"no answer within {self._timeout:g} s")
            failure.may_be_billed = not never_connected(error)
            raise failure from None
        except (aiohttp.ClientError, OSError) as error:
            failure = self._transient("connection", str(error) or type(error).__name__)
            failure.may_be_billed = not never_connected(error)
            raise failure from None
        if status != 200:
            raise self._classify(url, status, content, parse_retry_after(headers))
        try:
            reply = json.loads(content)
        except ValueError:
            raise self._transient("malformed", f"the reply is not JSON: {excerpt(content)}") from None
        if not isinstance(reply, dict):
            raise self._transient("malformed", f"the reply is not a JSON object: {excerpt(content)}")
        if reply.get("error"):
            # LM Studio and some gateways report errors with status 200.
            raise self._classify(url, status, content, None)
        try:
            return read(reply)
        except MalformedReplyError as error:
            raise self._transient("malformed", f"{error}: {excerpt(content)}") from None

    async def aclose(self) -> None:
        """Close all connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _open_session(self) -> aiohttp.ClientSession:
        if self._session is None:
            host = self._base.host or ""
            self._session = aiohttp.ClientSession(
                # Concurrency is limited by the usage meter; a second limit here would only hide that one.
                connector=aiohttp.TCPConnector(limit=0),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers=self._headers,
                # Not trust_env, which reads ~/.netrc in a thread for every request.
                proxy=None if host in LOOPBACK or proxy_bypass(host) else getproxies().get(self._base.scheme),
                timeout=aiohttp.ClientTimeout(total=self._timeout, sock_connect=CONNECT_SECONDS),
            )
        return self._session

    def _classify(self, url: URL, status: int, content: bytes, retry_after: float | None) -> IctbenchError:
        code, text = (self._redact(part) for part in _parse_error(content))
        return classify_http_error(status, code, text, endpoint=str(url), hints=self._hints, retry_after=retry_after)

    def _transient(self, kind: TransientKind, message: str) -> TransientModelError:
        return TransientModelError(kind, self._redact(f"{self._base}: {message}"))


def replace_surrogates(text: str) -> str:
    """Replace lone surrogates, which JSON can contain but which cannot be encoded in a file or a digest."""
    return text.encode("utf-8", "replace").decode()


def _parse_base_url(base_url: str) -> URL:
    try:
        url = URL(base_url)
    except ValueError as error:
        raise UsageError(f"the base URL {base_url!r} cannot be parsed: {error}") from None
    if url.password or url.user:
        raise UsageError(
            f"the base URL of {url.host} contains a user name or a password; "
            "remove it, and put the API key into its environment variable"
        )
    if url.query_string or url.fragment:
        raise UsageError(f"the base URL of {url.host} contains a ?query or a #fragment; remove it")
    if url.scheme not in {"http", "https"} or not url.host:
        raise UsageError(f"the base URL {base_url!r} is not an http:// or https:// address")
    return url


def _parse_error(content: bytes) -> tuple[str, str]:
    """Return code and message of an error response, from any of the usual formats."""
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

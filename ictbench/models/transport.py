"""JSON over HTTP to a model's endpoint: kept connections, retries, and who is to blame for what went wrong."""

from __future__ import annotations

import asyncio
import json
import random
import re
import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.request import getproxies, proxy_bypass

import aiohttp
from yarl import URL

from ictbench.errors import ModelFailure, ModelUnavailableError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

T = TypeVar("T")

CONNECT_SECONDS = 15.0
SHOWN_CHARACTERS = 300
STOPPING = frozenset({401, 402, 403, 404, 405, 407})
"""Client errors that no other request to this endpoint would escape: they stop the run."""
PASSING = frozenset({408, 409, 425, 429})
"""Client errors that are worth another try."""
FILTERED = frozenset({"content_filter", "content_policy_violation"})

# How OpenAI, vLLM, SGLang, llama.cpp, TGI, Mistral, Groq and Anthropic word it.
OVERFLOW = re.compile(
    r"context[ _-]?(length|size|window)|maximum context|exceed\w*[ _]context|context[ _]exceeded"
    r"|prompt is too long|too many (input )?tokens|reduce the length|input token count|must have less than \d+ tokens",
    re.IGNORECASE,
)


class MalformedReplyError(Exception):
    """A reply that is not what the endpoint should answer, e.g. cut short by a proxy: worth another try."""


@dataclass(frozen=True, slots=True)
class Retry:
    """How often and how patiently a request is tried: exponential backoff with jitter, Retry-After honoured."""

    tries: int = 5
    base: float = 1.0
    """Seconds to wait after the first try, give or take a half; doubled after each further one."""
    longest: float = 60.0
    """Seconds of waiting between tries, all together."""

    def wait(self, failed: int, asked: float | None, waited: float) -> float | None:
        """Seconds to wait after the `failed`-th try, or None to give up.

        Args:
            failed: tries so far, all failed.
            asked: seconds the server asked to wait, if it did.
            waited: seconds waited so far.
        """
        wait = self.base * 2 ** (failed - 1) * random.uniform(0.5, 1.5) if asked is None else asked
        left = self.longest - waited
        if failed >= self.tries or wait > left:
            return None
        # Many requests are told the same second to come back: spread them a little.
        return min(wait * random.uniform(1.0, 1.1), left)


@dataclass(frozen=True, slots=True)
class _Trouble:
    """A try that failed in passing."""

    text: str
    asked: float | None = None


class JsonTransport:
    """POSTs JSON to one endpoint. Connections are opened on first use, in the event loop that is running then.

    `hints` tells the user what to check, by HTTP status. `secret` never occurs in an error message.
    """

    def __init__(
        self,
        base_url: str,
        *,
        headers: Mapping[str, str],
        timeout: float,
        retry: Retry,
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
        if url.scheme not in {"http", "https"} or not url.host:
            raise UsageError(f"the base URL {base_url!r} is not an http:// or https:// address")
        self._base = url
        self._headers = {"Content-Type": "application/json", "User-Agent": "ictbench", **headers}
        self._timeout = timeout
        self._retry = retry
        self._hints = hints
        self._secret = secret
        self._session: aiohttp.ClientSession | None = None

    async def post(self, path: str, body: Any, read: Callable[[dict[str, Any]], T]) -> T:
        """What `read` makes of the endpoint's answer to `body`; a MalformedReplyError from it is worth another try.

        Raises:
            ModelFailure: the endpoint says that the request itself is at fault.
            ModelUnavailableError: it will not serve us, or still does not after all retries.
        """
        url = self._base / path
        data = json.dumps(body, separators=(",", ":")).encode()
        failed, waited = 0, 0.0
        while True:
            trouble = await self._try(url, data, read)
            if not isinstance(trouble, _Trouble):
                return trouble
            failed += 1
            wait = self._retry.wait(failed, trouble.asked, waited)
            if wait is None:
                tries = f"{failed} tries" if failed > 1 else "1 try"
                raise ModelUnavailableError(self._clean(f"{url}: {trouble.text} ({tries}, {waited:.0f} s of waiting)"))
            await asyncio.sleep(wait)
            waited += wait

    async def aclose(self) -> None:
        """Close all connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _try(self, url: URL, data: bytes, read: Callable[[dict[str, Any]], T]) -> T | _Trouble:
        try:
            # A redirected POST becomes a GET, so a redirect is reported and not followed.
            async with self._opened().post(url, data=data, allow_redirects=False) as response:
                content = await response.read()
                status, headers = response.status, response.headers
        except TimeoutError:
            return _Trouble(f"no answer within {self._timeout:g} s")
        except (aiohttp.ClientError, OSError) as error:
            return _Trouble(str(error) or type(error).__name__)
        if status != 200:
            return self._refused(url, status, content, _retry_after(headers))
        try:
            reply = json.loads(content)
        except ValueError:
            return _Trouble(f"the answer is not JSON: {_excerpt(content)}")
        if not isinstance(reply, dict):
            return _Trouble(f"the answer is not a JSON object: {_excerpt(content)}")
        if reply.get("error"):
            # Some gateways and LM Studio report an error with status 200.
            return self._refused(url, status, content, None)
        try:
            return read(reply)
        except MalformedReplyError as error:
            return _Trouble(f"{error}: {_excerpt(content)}")

    def _refused(self, url: URL, status: int, content: bytes, asked: float | None) -> _Trouble:
        """Sort an error by whom it blames: the request, the run's configuration, or a passing condition."""
        code, text = _error_of(content)
        said = f"HTTP {status}" + (f": {text}" if text else "")
        if status in STOPPING or 300 <= status < 400:
            hint = self._hints.get(status, "check the base URL")
            raise ModelUnavailableError(self._clean(f"{url}: {said} ({hint})"))
        # Before the status is looked at: some servers answer 200 or 500 here. A rate limit is no overflow.
        if status not in PASSING and OVERFLOW.search(f"{code} {text}"):
            raise ModelFailure("context_overflow", self._clean(said))
        if 400 <= status < 500 and status not in PASSING:
            raise ModelFailure("refused" if code in FILTERED else "bad_request", self._clean(said))
        return _Trouble(said, asked)

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            host = self._base.host or ""
            self._session = aiohttp.ClientSession(
                # The engine bounds concurrency; a second bound here would only hide it.
                connector=aiohttp.TCPConnector(limit=0),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers=self._headers,
                # Not trust_env: it reads ~/.netrc in a thread for every request.
                proxy=None if proxy_bypass(host) else getproxies().get(self._base.scheme),
                timeout=aiohttp.ClientTimeout(total=self._timeout, sock_connect=CONNECT_SECONDS),
            )
        return self._session

    def _clean(self, text: str) -> str:
        return text.replace(self._secret, "[key]") if self._secret else text


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that Retry-After asks for, given as a number or as a date; None where absent or unreadable."""
    value = headers.get("Retry-After", "")
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(value).timestamp() - time.time()
        except ValueError:
            return None
    return max(seconds, 0.0) if seconds == seconds else None


def _error_of(content: bytes) -> tuple[str, str]:
    """Code and text of an error reply, in whichever of the usual places they are."""
    try:
        reply = json.loads(content)
    except ValueError:
        return "", _excerpt(content)
    error = reply.get("error", reply) if isinstance(reply, dict) else reply
    if not isinstance(error, dict):
        return "", _excerpt(str(error).encode(errors="replace"))
    text = error.get("message") or error.get("detail") or json.dumps(error)
    code = error.get("code") or error.get("type") or ""
    return str(code), _excerpt(str(text).encode(errors="replace"))


def _excerpt(content: bytes) -> str:
    text = " ".join(content.decode(errors="replace").split())
    return text if len(text) <= SHOWN_CHARACTERS else text[:SHOWN_CHARACTERS] + "…"

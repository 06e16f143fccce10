"""JSON over HTTP to a model's endpoint, with classified errors."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic_core import PydanticSerializationError, from_json, to_json
from yarl import URL

from ictbench.errors import TransientModelError, UsageError
from ictbench.models.http_errors import classify_http_error, excerpt, parse_retry_after
from ictbench.models.redact import Redactor
from ictbench.models.transport import Transport

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ictbench.errors import IctbenchError
    from ictbench.models.transport import Response

T = TypeVar("T")

REJECTED_GENERATIONS = frozenset({"tool_use_failed", "json_validate_failed"})
"""Error codes of responses that reject what the model wrote, and contain it."""


class MalformedReplyError(Exception):
    """A response that is not what the endpoint should send, e.g. cut short by a proxy: worth another attempt."""


class ReplyError(Exception):
    """An error that a response with status 200 reports, as gateways do when a server behind them fails."""

    def __init__(self, error: Any) -> None:
        super().__init__("the reply reports an error")
        self.error = error
        """The error as reported: a text, or an object with a code and a message."""


class JsonClient:
    """Client that POSTs JSON to one endpoint. Connections are opened on first use, in the event loop running then."""

    def __init__(
        self,
        base_url: str,
        *,
        headers: Mapping[str, str],
        timeout: float,
        hints: Mapping[int, str],
        secrets: Sequence[str] = (),
    ) -> None:
        """Check the base URL, and the environment's proxies and certificates for it.

        Args:
            base_url: The endpoint's base URL.
            headers: HTTP headers of every request.
            timeout: Seconds that one request may take.
            hints: What the user should check, by HTTP status.
            secrets: API keys that must never occur in an error message.

        Raises:
            UsageError: The base URL is not an http(s) address, or it contains a password, a query or a fragment; or its
                proxy or certificates cannot be used.
        """
        self._base = parse_base_url(base_url)
        self._headers = {"Content-Type": "application/json", "User-Agent": "ictbench", **headers}
        self._timeout = timeout
        self._hints = hints
        self._redact = Redactor(*secrets)
        self._transport = Transport(self._redact)
        self._transport.proxy(self._base)
        self._urls: dict[str, URL] = {}

    async def post(self, path: str, body: Any, read: Callable[[dict[str, Any]], T]) -> T:
        """Send `body` and return the reply as converted by `read`. Makes one attempt.

        Args:
            path: Path below the base URL.
            body: JSON value to send.
            read: Converts the reply, a JSON object; it may raise MalformedReplyError or ReplyError.

        Raises:
            ModelFailure: The endpoint reports that the request itself is at fault.
            TransientModelError: Another attempt may succeed.
            EndpointRefusedError: No request to this endpoint can succeed.
        """
        if path not in self._urls:
            self._urls[path] = self._base / path
        response = await self._transport.send(
            "POST",
            self._urls[path],
            headers=self._headers,
            data=_encode(body),
            seconds=self._timeout,
        )
        if not 200 <= response.status < 300:
            if (rejected := rejected_generation(response.content)) is not None:
                return read(rejected)
            raise classify_response(response, self._redact, self._hints)
        try:
            reply = _decode(self._redact.in_reply(response.content))
        except (ValueError, RecursionError):
            raise self._malformed("the reply is not JSON", response) from None
        if not isinstance(reply, dict):
            raise self._malformed("the reply is not a JSON object", response)
        try:
            if reply.get("error"):
                # LM Studio and some gateways report errors with status 200.
                raise ReplyError(reply["error"])
            return read(reply)
        except ReplyError as error:
            raise classify_response(reported_response(error, response), self._redact, self._hints) from None
        except MalformedReplyError as error:
            raise self._malformed(str(error), response) from None

    async def aclose(self) -> None:
        """Close all connections."""
        await self._transport.aclose()

    def _malformed(self, message: str, response: Response) -> TransientModelError:
        text = excerpt(self._redact(response.content.decode(errors="replace")))
        return TransientModelError("malformed", f"{response.endpoint}: {self._redact(message)}: {text}")


def _encode(body: Any) -> bytes:
    """Return a JSON value as UTF-8; in half the time of `json.dumps`."""
    try:
        return to_json(body)
    except PydanticSerializationError:  # lone surrogates, which only escapes can express
        return json.dumps(body, separators=(",", ":")).encode()


def _decode(content: bytes) -> Any:
    """Return a JSON value; in a third of the time of `json.loads`."""
    try:
        return from_json(content)
    except ValueError:  # lone surrogates, deep nesting and other encodings
        return json.loads(content)


def parse_base_url(base_url: str) -> URL:
    """Return a base URL, without the white space around it.

    Raises:
        UsageError: It is not an http(s) address, or it contains a password, a query, a fragment or white space.
    """
    text = base_url.strip()
    try:
        url = URL(text)
        port = url.port
    except ValueError as error:
        raise UsageError(f"the base URL {text!r} cannot be parsed: {error}") from None
    if url.password or url.user:
        raise UsageError(
            f"the base URL of {url.host} contains a user name or a password; "
            "remove it, and put the API key into its environment variable"
        )
    if url.query_string or url.fragment:
        raise UsageError(f"the base URL of {url.host} contains a ?query or a #fragment; remove it")
    if url.scheme not in {"http", "https"} or not url.host or not port:
        raise UsageError(f"the base URL {text!r} is not an http:// or https:// address")
    if re.search(r"[\s\x00-\x20\x7f]", text):
        raise UsageError(f"the base URL {text!r} contains white space or control characters; remove them")
    return url


def classify_response(response: Response, redact: Redactor, hints: Mapping[int, str]) -> IctbenchError:
    """Return the exception for a response that is, or reports, an error.

    Args:
        response: The response.
        redact: Removes secrets from its words.
        hints: What the user should check, by HTTP status.
    """
    code, text = parse_error(response.content)
    return classify_http_error(
        response.status,
        redact(code),
        excerpt(redact(text)),
        endpoint=response.endpoint,
        hints=hints,
        retry_after=parse_retry_after(response.headers),
    )


def reported_response(error: ReplyError, response: Response) -> Response:
    """Return the response that reports an error by its status, if the code of the error is a status."""
    code = error.error.get("code") if isinstance(error.error, dict) else None
    is_status = isinstance(code, int | str) and re.fullmatch("[45][0-9]{2}", str(code))
    try:
        content = json.dumps({"error": error.error}).encode()
    except RecursionError:
        content = response.content
    return replace(response, status=int(code) if is_status and code else 200, content=content)


def rejected_generation(content: bytes) -> dict[str, Any] | None:
    """Return the reply that an error response contains, because the endpoint rejects what the model wrote.

    Groq does so if the model does not call the tool that a request forces. For other servers that is a reply without a
    call, which costs the player a decision. https://github.com/groq/groq-typescript/issues/103

    Returns:
        A chat completion with the model's text, without usage; None if the error is another one.
    """
    try:
        error = json.loads(content)["error"]
        code, text = error["code"], error["failed_generation"]
    except (ValueError, LookupError, TypeError, RecursionError):
        return None
    if str(code) not in REJECTED_GENERATIONS or not isinstance(text, str):
        return None
    return {"choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}]}


def parse_error(content: bytes) -> tuple[str, str]:
    """Return code and message of an error response, from any of the usual formats."""
    try:
        reply = json.loads(content)
        error = reply.get("error", reply) if isinstance(reply, dict) else reply
        if not isinstance(error, dict):
            return "", str(error)
        text = error.get("message") or error.get("detail") or json.dumps(error)
        code = error.get("code") or error.get("type") or ""
        return str(code), str(text)
    except (ValueError, RecursionError):
        return "", content.decode(errors="replace")

"""Classification of HTTP errors: the request's fault, the configuration's, or a transient condition."""

from __future__ import annotations

import re
import time
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from ictbench.errors import EndpointRefusedError, ModelFailure, TransientModelError
from ictbench.models.replies import clean_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ictbench.errors import TransientKind

EXCERPT_CHARACTERS = 300
FATAL_STATUSES = frozenset({401, 402, 403, 404, 405, 407})
"""Client errors that every request to this endpoint would meet: they stop the run."""
TRANSIENT_STATUSES = frozenset({408, 409, 425, 429})
"""Client errors that are worth another attempt."""
UNBILLED_STATUSES = frozenset({409, 425, 429, 503, 529})
"""Transient statuses of requests that the endpoint turned away: no model has worked for them."""
NO_CONNECTION = frozenset(
    {
        *(
            "ConnectError",
            "ConnectTimeout",
            "ClientConnectorError",
            "ClientConnectorDNSError",
            "ConnectionTimeoutError",
        ),
        *("ProxyConnectionError", "ProxyTimeoutError"),
    }
)
"""Names of the exceptions with which httpx, aiohttp and its proxies report that no connection was opened."""
UNAVAILABLE_FOR_LEGAL_REASONS = 451
FILTER_CODES = frozenset({"content_filter", "content_policy_violation"})

# Wordings of OpenAI, vLLM, SGLang, llama.cpp, TGI, Mistral, Groq and Anthropic.
CONTEXT_OVERFLOW = re.compile(
    r"context[ _-]?(length|size|window)|maximum context|exceed\w*[ _]context|context[ _]exceeded"
    r"|prompt is too long|too many (input )?tokens|reduce the length|input token count|must have less than \d+ tokens"
    r"|tokens`? \+ `?max_new_tokens",
    re.IGNORECASE,
)
# Rejections that some servers report with status 500, although another attempt meets them again: errors of the chat
# template (llama.cpp, LM Studio), of a grammar (llama.cpp, Ollama), and of validation (llama-cpp-python).
REJECTION = re.compile(
    r"\bjinja\b|raise_exception|at row \d+, column \d+|chat[ _]template|template error"
    r"|roles must alternate|system role (is )?not supported"
    r"|(failed to parse|error parsing|failed to compile) grammar|'loc': \('body'",
    re.IGNORECASE,
)
NOT_IMPLEMENTED = 501
# Ollama reports it with status 500.
NO_MEMORY = re.compile(r"requires more system memory", re.IGNORECASE)
# OpenAI reports it with status 429, Anthropic with 400.
NO_CREDIT = re.compile(r"insufficient_quota|credit balance is too low", re.IGNORECASE)


def classify_http_error(
    status: int, code: str, text: str, *, endpoint: str, hints: Mapping[int, str], retry_after: float | None = None
) -> ModelFailure | TransientModelError | EndpointRefusedError:
    """Return the exception for an error response.

    Args:
        status: HTTP status.
        code: The provider's own error code; empty if there is none.
        text: Error message, without secrets.
        endpoint: The endpoint, as shown to the user.
        hints: What the user should check, by status.
        retry_after: Seconds that the server asks to wait before another attempt.
    """
    message = f"HTTP {status}" + (f": {text}" if text else "")
    code_and_text = f"{code} {text}"
    if NO_CREDIT.search(code_and_text):
        return EndpointRefusedError(f"{endpoint}: {message} (check the account's balance)")
    if status in FATAL_STATUSES or 300 <= status < 400:
        hint = hints.get(status, "check the base URL")
        return EndpointRefusedError(f"{endpoint}: {message} ({hint})", status=status, words=message)
    # Checked whatever the status, as some servers report it with 200 or 500; but a rate limit is not an overflow.
    if status not in TRANSIENT_STATUSES and CONTEXT_OVERFLOW.search(code_and_text):
        return ModelFailure("context_overflow", message)
    if NO_MEMORY.search(text):
        return EndpointRefusedError(f"{endpoint}: {message} (free memory, or serve a smaller model)")
    if status == NOT_IMPLEMENTED or (status >= 500 and REJECTION.search(text)):
        return ModelFailure("bad_request", message)
    if 400 <= status < 500 and status not in TRANSIENT_STATUSES:
        filtered = code in FILTER_CODES or status == UNAVAILABLE_FOR_LEGAL_REASONS
        return ModelFailure("refused" if filtered else "bad_request", message)
    kind: TransientKind = "rate_limited" if status == 429 else "overloaded"
    may_be_billed = status not in UNBILLED_STATUSES
    return TransientModelError(kind, f"{endpoint}: {message}", retry_after, may_be_billed=may_be_billed)


def api_hints(key_variable: str, model: str) -> dict[int, str]:
    """Return what to check for each status of a provider's API."""
    return {
        401: f"check {key_variable}",
        402: "check the account's balance",
        403: "check that the key may use this model",
        404: f"check the model name {model!r} and the base URL",
    }


def parse_retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds in a Retry-After header, given as a number or a date; None if absent or unreadable."""
    value = headers.get("Retry-After", "")
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(value).timestamp() - time.time()
        except (ValueError, OverflowError):  # a date out of range
            return None
    return max(seconds, 0.0) if seconds == seconds else None


def never_connected(error: BaseException | None) -> bool:
    """Return whether an error of an HTTP client, or one that it was raised for, is that no connection was opened."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        if type(error).__name__ in NO_CONNECTION:
            return True
        seen.add(id(error))
        error = error.__cause__ or error.__context__
    return False


def excerpt(content: bytes | str) -> str:
    """Return the start of a response body, on one line."""
    text = clean_text(content.decode(errors="replace") if isinstance(content, bytes) else content)
    text = " ".join(text.split())
    return text if len(text) <= EXCERPT_CHARACTERS else text[:EXCERPT_CHARACTERS] + "…"

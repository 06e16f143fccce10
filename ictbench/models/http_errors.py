"""Who is to blame for a request that failed: the request itself, the configuration, or a passing condition."""

from __future__ import annotations

import re
import time
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from ictbench.errors import EndpointRefusedError, ModelFailure, TransientModelError

if TYPE_CHECKING:
    from collections.abc import Mapping

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
# OpenAI says so with status 429, Anthropic with 400.
PENNILESS = re.compile(r"insufficient_quota|credit balance is too low", re.IGNORECASE)


def blame(
    status: int, code: str, text: str, *, endpoint: str, hints: Mapping[int, str], asked: float | None = None
) -> ModelFailure | TransientModelError | EndpointRefusedError:
    """The error for a reply that reports one.

    Args:
        status: of the HTTP reply.
        code: the provider's own name for the error, empty where it gave none.
        text: what it says, without secrets.
        endpoint: who says so, for the user.
        hints: what the user should check, by status.
        asked: seconds it asked to wait before another try.
    """
    said = f"HTTP {status}" + (f": {text}" if text else "")
    worded = f"{code} {text}"
    if PENNILESS.search(worded):
        return EndpointRefusedError(f"{endpoint}: {said} (check the account's balance)")
    if status in STOPPING or 300 <= status < 400:
        return EndpointRefusedError(f"{endpoint}: {said} ({hints.get(status, 'check the base URL')})")
    # Before the rest: some servers answer 200 or 500 here. A rate limit is no overflow.
    if status not in PASSING and OVERFLOW.search(worded):
        return ModelFailure("context_overflow", said)
    if 400 <= status < 500 and status not in PASSING:
        return ModelFailure("refused" if code in FILTERED else "bad_request", said)
    return TransientModelError("rate_limited" if status == 429 else "overloaded", f"{endpoint}: {said}", asked)


def retry_after(headers: Mapping[str, str]) -> float | None:
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


def excerpt(content: bytes | str) -> str:
    """The beginning of a reply, on one line."""
    text = " ".join((content.decode(errors="replace") if isinstance(content, bytes) else content).split())
    return text if len(text) <= SHOWN_CHARACTERS else text[:SHOWN_CHARACTERS] + "…"

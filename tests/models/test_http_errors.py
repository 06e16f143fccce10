from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from ictbench.errors import EndpointRefusedError, ModelFailure, TransientModelError
from ictbench.models.http_errors import classify_http_error, excerpt, parse_retry_after


def classify(status: int, text: str = "said", code: str = "", retry_after: float | None = None) -> Exception:
    hints = {401: "check the key"}
    return classify_http_error(status, code, text, endpoint="http://here", hints=hints, retry_after=retry_after)


@pytest.mark.parametrize(("status", "hint"), [(301, "base URL"), (401, "check the key"), (404, "base URL")])
def test_errors_that_stop_the_run_say_what_to_check(status: int, hint: str) -> None:
    error = classify(status)
    assert isinstance(error, EndpointRefusedError)
    assert str(error).startswith(f"http://here: HTTP {status}: said (")
    assert hint in str(error)


@pytest.mark.parametrize(
    ("status", "text", "code"),
    [(429, "You exceeded your quota", "insufficient_quota"), (400, "Your credit balance is too low", "")],
)
def test_an_empty_account_stops_the_run_whatever_the_status(status: int, text: str, code: str) -> None:
    error = classify(status, text, code)
    assert isinstance(error, EndpointRefusedError)
    assert "check the account's balance" in str(error)


@pytest.mark.parametrize(
    ("status", "text", "code", "kind"),
    [
        (400, "unknown role", "", "bad_request"),
        (422, "unknown role", "", "bad_request"),
        (400, "no", "content_filter", "refused"),
        (400, "prompt is too long: 9 tokens > 8 maximum", "", "context_overflow"),
        (400, "no", "context_length_exceeded", "context_overflow"),
        (500, "Requested tokens (3000) exceed context window of 2048", "", "context_overflow"),
        (422, "`inputs` tokens + `max_new_tokens` must be <= 2048. Given: 1887 and 1024", "", "context_overflow"),
    ],
)
def test_failures_caused_by_the_request(status: int, text: str, code: str, kind: str) -> None:
    error = classify(status, text, code)
    assert isinstance(error, ModelFailure)
    assert error.kind == kind


@pytest.mark.parametrize(
    "text",
    [
        # https://github.com/sipeed/picoclaw/issues/207
        "While executing CallExpression at line 47, column 32 in source: ...== 0) %} {{- raise_exception('After the "
        "optional system message, con... ^ Error: Jinja Exception: After the optional system message, conversation",
        # https://github.com/janhq/jan/issues/6254
        "Conversation roles must alternate user/assistant/user/assistant/... at row 19, column 27: {%- if",
        # https://github.com/defilantech/LLMKube/issues/126
        "tools param requires --jinja flag",
        # https://github.com/lmstudio-ai/lmstudio-bug-tracker/issues/842
        'Error rendering prompt with jinja template: "Cannot pass both content and thinking in an assistant message".',
        # https://github.com/ggml-org/llama.cpp/issues/24144
        "Failed to parse grammar",
        # https://github.com/abetlen/llama-cpp-python/blob/main/llama_cpp/llama_types.py
        "[{'type': 'literal_error', 'loc': ('body', 'response_format', 'type'), 'msg': \"Input should be 'text'\"}]",
    ],
)
def test_a_rejection_with_status_500_is_not_tried_again(text: str) -> None:
    error = classify(500, text)
    assert isinstance(error, ModelFailure)
    assert error.kind == "bad_request"
    assert str(error) == f"bad_request: HTTP 500: {text}"


def test_what_a_server_does_not_implement_is_not_tried_again() -> None:
    assert isinstance(classify(501, "This server does not support completions."), ModelFailure)


def test_a_model_that_does_not_fit_into_memory_stops_the_run() -> None:
    # https://github.com/continuedev/continue/issues/12795
    error = classify(500, "model requires more system memory (7.5 GiB) than is available (5.2 GiB)")
    assert isinstance(error, EndpointRefusedError)
    assert "free memory" in str(error)


@pytest.mark.parametrize(
    ("status", "kind"),
    [(429, "rate_limited"), (408, "overloaded"), (409, "overloaded"), (500, "overloaded"), (529, "overloaded")],
)
def test_transient_errors(status: int, kind: str) -> None:
    error = (
        classify(status, "please reduce the length", retry_after=7.0)
        if status == 429
        else classify(status, retry_after=7.0)
    )
    assert isinstance(error, TransientModelError)
    assert (error.kind, error.retry_after) == (kind, 7.0)


def test_retry_after_is_a_number_or_a_date() -> None:
    assert parse_retry_after({"Retry-After": "1.5"}) == 1.5
    assert parse_retry_after({"Retry-After": "-3"}) == 0.0
    for unreadable in ("soon", "", "nan", "Wed, 19 Oct 99999999999999 07:28:00 GMT", "Wed, 99 Oct 2026 07:28:00 GMT"):
        assert parse_retry_after({"Retry-After": unreadable}) is None
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    seconds = parse_retry_after({"Retry-After": soon})
    assert seconds is not None
    assert 25 < seconds <= 30
    for unreadable in ("", "soon", "nan"):
        assert parse_retry_after({"Retry-After": unreadable}) is None


def test_an_excerpt_is_short_and_on_one_line() -> None:
    assert excerpt(b"<html>\n  <p>\xff") == "<html> <p>\ufffd"
    assert len(excerpt("x" * 5000)) == 301

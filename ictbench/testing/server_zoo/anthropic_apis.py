"""Personalities of Anthropic's API. Error messages are quoted from the sources."""

from __future__ import annotations

from ictbench.testing.server_zoo.message_quirks import (
    BegunReply,
    ContextLimit,
)
from ictbench.testing.server_zoo.parameter_quirks import Rejects, Requires
from ictbench.testing.server_zoo.personality import KIND, MESSAGE, ErrorFormat, Personality
from ictbench.testing.server_zoo.quirk import Refusal
from ictbench.testing.server_zoo.reply_quirks import (
    Adds,
    Reasons,
)

_ANTHROPIC = (
    Requires(
        parameter="max_tokens",
        refusal=Refusal(message="max_tokens: Field required"),
        source="https://docs.anthropic.com/en/api/messages",
    ),
    ContextLimit(
        refusal=Refusal(message="prompt is too long: $tokens tokens > $limit maximum"),
        source="https://docs.anthropic.com/en/docs/build-with-claude/context-windows",
    ),
    Adds(
        to="usage",
        fields={"cache_creation_input_tokens": 0, "cache_read_input_tokens": 7, "service_tier": "standard"},
        source="https://docs.anthropic.com/en/docs/build-with-claude/prompt-caching",
    ),
    Rejects(
        parameter="tool_choice.type",
        allowed=("auto", "none"),
        only_with="thinking",
        refusal=Refusal(message="Thinking may not be enabled when tool_choice forces tool use."),
        source="https://github.com/can1357/oh-my-pi/issues/341",
    ),
    Reasons(
        place="blocks",
        if_given="thinking",
        source="https://docs.anthropic.com/en/docs/build-with-claude/extended-thinking",
    ),
)
_ANTHROPIC_ERRORS = ErrorFormat(
    template={"type": "error", "error": {"type": KIND, "message": MESSAGE}, "request_id": "req_scripted"},
    kinds={
        400: "invalid_request_error",
        401: "authentication_error",
        403: "permission_error",
        404: "not_found_error",
        429: "rate_limit_error",
        500: "api_error",
        529: "overloaded_error",
    },
    source="https://docs.anthropic.com/en/api/errors",
)
_ANTHROPIC_LIMITS = {
    "anthropic-ratelimit-requests-limit": "4000",
    "anthropic-ratelimit-requests-remaining": "3999",
    "anthropic-ratelimit-requests-reset": "2026-01-01T00:00:00Z",
    "request-id": "req_scripted",
}

ANTHROPIC_APIS = (
    Personality(
        name="anthropic",
        title="Anthropic, Claude 4.5",
        model="claude-haiku-4-5",
        provider="anthropic",
        wire="anthropic",
        quirks=(
            *_ANTHROPIC,
            BegunReply(
                source="https://docs.anthropic.com/en/docs/build-with-claude/prompt-engineering/prefill-claudes-response"
            ),
        ),
        errors=_ANTHROPIC_ERRORS,
        headers=_ANTHROPIC_LIMITS,
        headers_source="https://docs.anthropic.com/en/api/rate-limits",
    ),
    Personality(
        name="anthropic-5",
        title="Anthropic, Claude 5",
        model="claude-sonnet-5",
        provider="anthropic",
        wire="anthropic",
        quirks=(
            *_ANTHROPIC,
            Rejects(
                parameter="temperature",
                refusal=Refusal(message="temperature is deprecated for this model."),
                source="https://github.com/vogler75/monster-mq/issues/168",
            ),
            BegunReply(
                continues=False,
                refusal=Refusal(
                    message="This model does not support assistant message prefill. The conversation must end with a "
                    "user message."
                ),
                source="https://github.com/router-for-me/CLIProxyAPI/pull/5320",
            ),
        ),
        errors=_ANTHROPIC_ERRORS,
        headers=_ANTHROPIC_LIMITS,
        headers_source="https://docs.anthropic.com/en/api/rate-limits",
    ),
)

"""Personalities of services that host others' models. Error messages are quoted from the sources."""

from __future__ import annotations

from ictbench.testing.server_zoo.message_quirks import (
    FiltersPrompt,
)
from ictbench.testing.server_zoo.openai_apis import FORBIDDEN, REASONING_TOKENS
from ictbench.testing.server_zoo.parameter_quirks import Rejects
from ictbench.testing.server_zoo.personality import MESSAGE, STATUS, ErrorFormat, Personality
from ictbench.testing.server_zoo.quirk import Refusal
from ictbench.testing.server_zoo.reply_quirks import (
    Adds,
    CallsMustBeMade,
    Comments,
    ErrorInReply,
    Reasons,
)

_GROQ = (
    Rejects(
        parameter="response_format.type",
        allowed=("text", "json_object"),
        refusal=Refusal(message="This model does not support response format `json_schema`.", param="response_format"),
        source="https://github.com/ItzCrazyKns/Vane/issues/980",
    ),
    CallsMustBeMade(
        refusal=Refusal(
            message="Failed to call a function. Please adjust your prompt. See 'failed_generation' for more details.",
            kind="invalid_request_error",
            code="tool_use_failed",
        ),
        source="https://github.com/groq/groq-typescript/issues/103",
    ),
    Adds(
        to="usage",
        fields={"queue_time": 0.02, "prompt_time": 0.01, "completion_time": 0.05, "total_time": 0.06},
        source="https://github.com/groq/groq-python/blob/main/src/groq/types/completion_usage.py",
    ),
    Adds(
        to="reply",
        fields={"x_groq": {"id": "req_scripted"}, "service_tier": "on_demand"},
        source="https://github.com/groq/groq-python/blob/main/src/groq/types/chat/chat_completion.py",
    ),
)
_GROQ_LIMITS = {
    "x-ratelimit-limit-requests": "14400",
    "x-ratelimit-limit-tokens": "6000",
    "x-ratelimit-remaining-requests": "14399",
    "x-ratelimit-remaining-tokens": "5843",
    "x-ratelimit-reset-requests": "6s",
    "x-ratelimit-reset-tokens": "1.57s",
}

GATEWAYS = (
    Personality(
        name="openrouter",
        title="OpenRouter",
        model="vendor/reasoner",
        base_path="/api/v1",
        quirks=(
            ErrorInReply(
                error={"code": 502, "message": "Provider returned error"},
                source="https://openrouter.ai/docs/api/reference/errors-and-debugging",
            ),
            FiltersPrompt(
                text=FORBIDDEN,
                refusal=Refusal(
                    message="Your chosen model requires moderation and your input was flagged",
                    status=403,
                    details={
                        "metadata": {
                            "reasons": ["violence"],
                            "flagged_input": FORBIDDEN,
                            "provider_name": "Vendor",
                            "model_slug": "vendor/reasoner",
                        }
                    },
                ),
                source="https://openrouter.ai/docs/api/reference/errors-and-debugging",
            ),
            Adds(
                to="reply",
                fields={"provider": "Vendor"},
                source="https://openrouter.ai/docs/api/reference/overview",
            ),
            Adds(
                to="choice",
                fields={"native_finish_reason": "end_turn"},
                source="https://openrouter.ai/announcements/standardized-finish-reasons",
            ),
            Reasons(
                place="reasoning",
                counted=REASONING_TOKENS,
                source="https://openrouter.ai/docs/use-cases/reasoning-tokens",
            ),
            Adds(
                to="usage",
                fields={"cost": 0.00042, "is_byok": False},
                source="https://openrouter.ai/docs/use-cases/usage-accounting",
            ),
            Comments(comment=": OPENROUTER PROCESSING", source="https://openrouter.ai/docs/api/reference/streaming"),
        ),
        errors=ErrorFormat(
            template={"error": {"code": STATUS, "message": MESSAGE}},
            source="https://openrouter.ai/docs/api/reference/errors-and-debugging",
        ),
    ),
    Personality(
        name="groq",
        title="Groq",
        model="llama-3.3-70b-versatile",
        base_path="/openai/v1",
        quirks=_GROQ,
        headers=_GROQ_LIMITS,
        headers_source="https://github.com/groq/groq-typescript/issues/28",
    ),
    Personality(
        name="groq-reasoning",
        title="Groq, a reasoning model",
        model="qwen/qwen3-32b",
        base_path="/openai/v1",
        quirks=(
            *_GROQ,
            Reasons(
                place="tags",
                source="https://reference.langchain.com/python/langchain-groq/chat_models/ChatGroq/reasoning_format",
            ),
        ),
        headers=_GROQ_LIMITS,
        headers_source="https://github.com/groq/groq-typescript/issues/28",
    ),
)

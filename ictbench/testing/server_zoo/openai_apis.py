"""Personalities of OpenAI's API, its own and Azure's. Error messages are quoted from the sources."""

from __future__ import annotations

from ictbench.testing.server_zoo.message_quirks import (
    ContextLimit,
    FiltersPrompt,
)
from ictbench.testing.server_zoo.parameter_quirks import Rejects, RejectsUnknown
from ictbench.testing.server_zoo.personality import Personality
from ictbench.testing.server_zoo.quirk import Refusal
from ictbench.testing.server_zoo.reply_quirks import (
    Adds,
    CountsCached,
    FirstChunk,
    Reasons,
)

FORBIDDEN = "[forbidden]"
"""Text that the content filters of these servers reject."""

OPENAI_REFERENCE = "https://platform.openai.com/docs/api-reference/chat/create"
OPENAI_PARAMETERS = frozenset(
    [
        "audio",
        "frequency_penalty",
        "function_call",
        "functions",
        "logit_bias",
        "logprobs",
        "max_completion_tokens",
        "max_tokens",
        "messages",
        "metadata",
        "modalities",
        "model",
        "n",
        "parallel_tool_calls",
        "prediction",
        "presence_penalty",
        "prompt_cache_key",
        "response_format",
        "safety_identifier",
        "seed",
        "service_tier",
        "stop",
        "store",
        "stream",
        "stream_options",
        "temperature",
        "tool_choice",
        "tools",
        "top_logprobs",
        "top_p",
        "user",
        "verbosity",
        "web_search_options",
    ]
)
CACHED = ("prompt_tokens_details", "cached_tokens")
REASONING_TOKENS = ("completion_tokens_details", "reasoning_tokens")


def _unrecognized(known: frozenset[str]) -> RejectsUnknown:
    return RejectsUnknown(
        known=known,
        refusal=Refusal(message="Unrecognized request argument supplied: $parameter"),
        source="https://github.com/coroot/coroot/issues/698",
    )


_OPENAI_COMMON = (
    ContextLimit(
        refusal=Refusal(
            message="This model's maximum context length is $limit tokens. However, your messages resulted in $tokens "
            "tokens. Please reduce the length of the messages.",
            code="context_length_exceeded",
            param="messages",
        ),
        source="https://github.com/bytedance/deer-flow/issues/142",
    ),
    Adds(
        to="message",
        fields={"refusal": None, "annotations": []},
        source="https://platform.openai.com/docs/api-reference/chat/object",
    ),
    CountsCached(path=CACHED, source="https://platform.openai.com/docs/guides/prompt-caching"),
)
_OPENAI_REASONING = (
    Rejects(
        parameter="max_tokens",
        refusal=Refusal(
            message="Unsupported parameter: 'max_tokens' is not supported with this model. Use "
            "'max_completion_tokens' instead.",
            kind="invalid_request_error",
            param="max_tokens",
            code="unsupported_parameter",
        ),
        source="https://github.com/IBM/chuk-llm/issues/3",
    ),
    Rejects(
        parameter="temperature",
        allowed=(1, 1.0),
        refusal=Refusal(
            message="Unsupported value: 'temperature' does not support $value with this model. Only the default (1) "
            "value is supported.",
            kind="invalid_request_error",
            param="temperature",
            code="unsupported_value",
        ),
        source="https://github.com/decolua/9router/issues/560",
    ),
    Rejects(
        parameter="stop",
        refusal=Refusal(
            message="Unsupported parameter: 'stop' is not supported with this model.",
            kind="invalid_request_error",
            param="stop",
            code="unsupported_parameter",
        ),
        source=OPENAI_REFERENCE,
    ),
    _unrecognized(OPENAI_PARAMETERS | {"reasoning_effort"}),
    *_OPENAI_COMMON,
    Reasons(place="hidden", counted=REASONING_TOKENS, source="https://platform.openai.com/docs/guides/reasoning"),
)
_OPENAI_LIMITS = {
    "x-ratelimit-limit-requests": "10000",
    "x-ratelimit-remaining-requests": "9999",
    "x-ratelimit-reset-requests": "6ms",
    "x-ratelimit-limit-tokens": "2000000",
    "x-ratelimit-remaining-tokens": "1999900",
    "x-ratelimit-reset-tokens": "3ms",
}

_UNFILTERED = {name: {"filtered": False, "severity": "safe"} for name in ("hate", "self_harm", "sexual", "violence")}
_AZURE = (
    FiltersPrompt(
        text=FORBIDDEN,
        refusal=Refusal(
            message="The response was filtered due to the prompt triggering Azure OpenAI's content management policy. "
            "Please modify your prompt and retry.",
            param="prompt",
            code="content_filter",
            details={
                "status": 400,
                "innererror": {
                    "code": "ResponsibleAIPolicyViolation",
                    "content_filter_result": {**_UNFILTERED, "violence": {"filtered": True, "severity": "medium"}},
                },
            },
        ),
        source="https://github.com/compl-ai/compl-ai/issues/20",
    ),
    Adds(
        to="reply",
        fields={"prompt_filter_results": [{"prompt_index": 0, "content_filter_results": _UNFILTERED}]},
        source="https://github.com/AbanteAI/archive-old-cli-mentat/issues/429",
    ),
    Adds(
        to="choice",
        fields={"content_filter_results": _UNFILTERED},
        source="https://github.com/microsoft/autogen/issues/6465",
    ),
    FirstChunk(
        chunk={
            "id": "",
            "object": "",
            "created": 0,
            "model": "",
            "choices": [],
            "prompt_filter_results": [{"prompt_index": 0, "content_filter_results": _UNFILTERED}],
        },
        source="https://github.com/AbanteAI/archive-old-cli-mentat/issues/429",
    ),
)

OPENAI_APIS = (
    Personality(
        name="openai",
        title="OpenAI",
        model="gpt-4.1-mini",
        quirks=(_unrecognized(OPENAI_PARAMETERS), *_OPENAI_COMMON),
        headers=_OPENAI_LIMITS,
        headers_source="https://platform.openai.com/docs/guides/rate-limits",
    ),
    Personality(
        name="openai-reasoning",
        title="OpenAI, a reasoning model",
        model="gpt-5-mini",
        quirks=_OPENAI_REASONING,
        headers=_OPENAI_LIMITS,
        headers_source="https://platform.openai.com/docs/guides/rate-limits",
    ),
    Personality(
        name="azure",
        title="Azure OpenAI",
        model="gpt-4.1",
        base_path="/openai/v1",
        other_paths=("/openai/deployments/gpt-4.1/chat/completions",),
        quirks=(_unrecognized(OPENAI_PARAMETERS), *_OPENAI_COMMON, *_AZURE),
    ),
    Personality(
        name="azure-reasoning",
        title="Azure OpenAI, a reasoning model behind a name of one's own",
        model="team-deployment",
        base_path="/openai/v1",
        other_paths=("/openai/deployments/team-deployment/chat/completions",),
        quirks=(*_OPENAI_REASONING, *_AZURE),
    ),
)

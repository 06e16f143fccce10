"""Personalities of model vendors' APIs in OpenAI's format. Error messages are quoted from the sources."""

from __future__ import annotations

from ictbench.testing.server_zoo.message_quirks import (
    BegunReply,
    CallIds,
    ContextLimit,
    NeedsInCalls,
    NoUserAfterTool,
)
from ictbench.testing.server_zoo.openai_apis import CACHED, REASONING_TOKENS
from ictbench.testing.server_zoo.parameter_quirks import Rejects, RejectsUnknown
from ictbench.testing.server_zoo.personality import CODE, KIND, MESSAGE, STATUS, ErrorFormat, Personality
from ictbench.testing.server_zoo.quirk import Refusal
from ictbench.testing.server_zoo.reply_quirks import (
    Adds,
    Comments,
    CountsCached,
    Reasons,
)

_MISTRAL = (
    RejectsUnknown(
        known=frozenset(
            [
                "frequency_penalty",
                "max_tokens",
                "messages",
                "metadata",
                "model",
                "n",
                "parallel_tool_calls",
                "prediction",
                "presence_penalty",
                "prompt_mode",
                "random_seed",
                "reasoning_effort",
                "response_format",
                "safe_prompt",
                "stop",
                "stream",
                "temperature",
                "tool_choice",
                "tools",
                "top_p",
            ]
        ),
        refusal=Refusal(
            message='{"detail":[{"type":"extra_forbidden","loc":["body","$parameter"],"msg":"Extra inputs are not '
            'permitted","input":$value}]}',
            status=422,
        ),
        source="https://github.com/langchain-ai/langchain-azure/issues/82",
    ),
    CallIds(
        length=9,
        refusal=Refusal(
            message="Tool call id was $value but must be a-z, A-Z, 0-9, with a length of 9.",
            kind="invalid_function_call",
            code="3280",
        ),
        source="https://github.com/editor-code-assistant/eca/issues/233",
    ),
    NoUserAfterTool(
        refusal=Refusal(
            message="Unexpected role 'user' after role 'tool'", kind="invalid_request_message_order", code="3230"
        ),
        source="https://github.com/NousResearch/hermes-agent/issues/20154",
    ),
    BegunReply(
        flags={"prefix": True},
        in_message=True,
        refusal=Refusal(
            message="Expected last role User or Tool (or Assistant with prefix True) for serving but got assistant",
            kind="invalid_request_error",
        ),
        source="https://github.com/NEKOparapa/AiNiee/issues/641",
    ),
)
_MISTRAL_ERRORS = ErrorFormat(
    template={"object": "error", "message": MESSAGE, "type": KIND, "param": None, "code": CODE},
    kinds={422: "internal_error_proxy", 400: "invalid_request_error"},
    source="https://github.com/mistralai/platform-docs-public/issues/7",
)

_DEEPSEEK = (
    ContextLimit(
        refusal=Refusal(
            message="This model's maximum context length is $limit tokens. However, you requested $tokens tokens. "
            "Please reduce the length of the messages or completion.",
            code="invalid_request_error",
        ),
        source="https://github.com/evalstate/fast-agent/issues/621",
    ),
    CountsCached(
        path=CACHED,
        source="https://rdrr.io/cran/tidyllm/src/tests/testthat/deepseek/api.deepseek.com/chat/completions-051628-POST.R",
    ),
    CountsCached(
        path=("prompt_cache_hit_tokens",),
        rest="prompt_cache_miss_tokens",
        source="https://api-docs.deepseek.com/guides/kv_cache",
    ),
    Comments(
        comment=": keep-alive",
        blank_lines=3,
        source="https://api-docs.deepseek.com/quick_start/rate_limit",
    ),
    Rejects(
        parameter="response_format.type",
        allowed=("text", "json_object"),
        refusal=Refusal(message="This response_format type is unavailable now", code="invalid_request_error"),
        source="https://github.com/llm-exe/llm-exe/issues/662",
    ),
)

_GEMINI = tuple(
    Rejects(
        parameter=parameter,
        refusal=Refusal(
            message='Invalid JSON payload received. Unknown name "$parameter": Cannot find field.',
            kind="INVALID_ARGUMENT",
        ),
        source=source,
    )
    for parameter, source in (
        ("seed", "https://github.com/Vali-98/ChatterUI/issues/227"),
        ("frequency_penalty", "https://github.com/Vali-98/ChatterUI/issues/227"),
        ("top_k", "https://github.com/MinLL/SkyrimNet-GamePlugin/issues/77"),
    )
)
_GEMINI_ERRORS = ErrorFormat(
    template=[{"error": {"code": STATUS, "message": MESSAGE, "status": KIND}}],
    kinds={400: "INVALID_ARGUMENT", 429: "RESOURCE_EXHAUSTED", 503: "UNAVAILABLE"},
    source="https://github.com/Alishahryar1/free-claude-code/issues/542",
)

VENDOR_APIS = (
    Personality(
        name="mistral",
        title="Mistral",
        model="mistral-small-latest",
        quirks=_MISTRAL,
        errors=_MISTRAL_ERRORS,
    ),
    Personality(
        name="magistral",
        title="Mistral, a reasoning model",
        model="magistral-small-latest",
        quirks=(
            *_MISTRAL,
            Reasons(place="parts", source="https://docs.mistral.ai/resources/cookbooks/mistral-reasoning"),
        ),
        errors=_MISTRAL_ERRORS,
    ),
    Personality(
        name="deepseek",
        title="DeepSeek",
        model="deepseek-chat",
        base_path="",
        other_paths=("/v1/chat/completions",),
        quirks=_DEEPSEEK,
    ),
    Personality(
        name="deepseek-reasoner",
        title="DeepSeek, thinking",
        model="deepseek-reasoner",
        base_path="",
        other_paths=("/v1/chat/completions",),
        quirks=(
            *_DEEPSEEK,
            Reasons(
                place="reasoning_content",
                counted=REASONING_TOKENS,
                source="https://api-docs.deepseek.com/guides/reasoning_model",
            ),
            NeedsInCalls(
                field="reasoning_content",
                refusal=Refusal(
                    message="Missing `reasoning_content` field in the assistant message at message index $tokens.",
                    code="invalid_request_error",
                ),
                source="https://github.com/abhigyanpatwari/GitNexus/issues/43",
            ),
        ),
    ),
    Personality(
        name="gemini",
        title="Gemini 2.5, OpenAI-compatible endpoint",
        model="gemini-2.5-flash",
        base_path="/v1beta/openai",
        quirks=_GEMINI,
        errors=_GEMINI_ERRORS,
    ),
    Personality(
        name="gemini-3",
        title="Gemini 3, OpenAI-compatible endpoint",
        model="gemini-3-flash-preview",
        base_path="/v1beta/openai",
        quirks=(
            *_GEMINI,
            Adds(
                to="call",
                fields={"extra_content": {"google": {"thought_signature": "c2lnbmVk"}}},
                source="https://ai.google.dev/gemini-api/docs/thought-signatures",
            ),
            NeedsInCalls(
                field="extra_content",
                in_call=True,
                refusal=Refusal(
                    message="Function call is missing a thought_signature in functionCall parts. This is required for "
                    "tools to work correctly, and missing thought_signature may lead to degraded model performance. "
                    "Additional data, function call `default_api:$value` , position $limit.",
                    kind="INVALID_ARGUMENT",
                ),
                source="https://github.com/nearai/ironclaw/issues/1510",
            ),
        ),
        errors=_GEMINI_ERRORS,
    ),
    Personality(
        name="xai",
        title="xAI, Grok 4",
        model="grok-4",
        quirks=(
            *(
                Rejects(
                    parameter=parameter,
                    refusal=Refusal(
                        message=f"Model grok-4 does not support parameter {name}.",
                        code="Client specified an invalid argument",
                    ),
                    source=source,
                )
                for parameter, name, source in (
                    ("presence_penalty", "presencePenalty", "https://github.com/miaoxworld/NativeTavern/issues/83"),
                    ("reasoning_effort", "reasoningEffort", "https://github.com/BerriAI/litellm/pull/16265"),
                    ("stop", "stop", "https://github.com/langgenius/dify-official-plugins/issues/3404"),
                )
            ),
            Reasons(
                place="hidden",
                counted=REASONING_TOKENS,
                included=False,
                source="https://docs.cloud.google.com/vertex-ai/generative-ai/docs/partner-models/grok/capabilities/reasoning",
            ),
        ),
        errors=ErrorFormat(
            template={"code": CODE, "error": MESSAGE}, source="https://github.com/yym68686/uni-api/issues/105"
        ),
    ),
)

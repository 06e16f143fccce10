"""Personalities of servers for one's own machine. Error messages are quoted from the sources."""

from __future__ import annotations

from ictbench.testing.server_zoo.gpu_servers import MUST_ALTERNATE
from ictbench.testing.server_zoo.message_quirks import (
    BegunReply,
    ContextLimit,
    NoNullContent,
    RolesAlternate,
)
from ictbench.testing.server_zoo.parameter_quirks import Ignores, Rejects
from ictbench.testing.server_zoo.personality import CODE, KIND, MESSAGE, PARAM, STATUS, ErrorFormat, Personality
from ictbench.testing.server_zoo.quirk import Refusal
from ictbench.testing.server_zoo.reply_quirks import Adds, Reasons

_LLAMA_SERVER = (
    Ignores(
        parameter="tool_choice",
        respected=("auto", "none", "required", None),
        source="https://github.com/ggml-org/llama.cpp/blob/master/tools/server/server-common.cpp",
    ),
    ContextLimit(
        refusal=Refusal(
            message="the request exceeds the available context size. try increasing the context size or enable context "
            "shift",
            kind="exceed_context_size_error",
            details={"n_prompt_tokens": "$tokens", "n_ctx": "$limit"},
        ),
        source="https://github.com/oobabooga/textgen/issues/7257",
    ),
    Adds(
        to="reply",
        fields={"timings": {"prompt_n": 9, "predicted_n": 9, "predicted_per_second": 51.2}},
        source="https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md",
    ),
)
_LLAMA_SERVER_ERRORS = ErrorFormat(
    template={"error": {"code": STATUS, "message": MESSAGE, "type": KIND}},
    kinds={400: "invalid_request_error", 500: "server_error", 503: "unavailable_error"},
    source="https://github.com/ggml-org/llama.cpp/pull/15780",
)

_OLLAMA = (
    NoNullContent(
        refusal=Refusal(message="invalid message content type: <nil>", kind="invalid_request_error"),
        source="https://github.com/pydantic/pydantic-ai/issues/5206",
    ),
    ContextLimit(source="https://github.com/ollama/ollama/issues/4967"),
    Adds(
        to="reply",
        fields={"system_fingerprint": "fp_ollama"},
        source="https://github.com/ollama/ollama/blob/main/openai/openai.go",
    ),
)

_OLLAMA_ERRORS = ErrorFormat(
    template={"error": {"message": MESSAGE, "type": KIND, "param": None, "code": None}},
    kinds={400: "invalid_request_error", 500: "api_error"},
    source="https://github.com/pydantic/pydantic-ai/issues/5206",
)

LOCAL_SERVERS = (
    Personality(
        name="llama-server",
        title="llama.cpp server",
        model="chat-7b",
        quirks=(*_LLAMA_SERVER, BegunReply(source="https://github.com/ggml-org/llama.cpp/pull/13174")),
        errors=_LLAMA_SERVER_ERRORS,
    ),
    Personality(
        name="llama-server-thinking",
        title="llama.cpp server, a thinking model",
        model="qwen3-8b",
        quirks=(
            *_LLAMA_SERVER,
            BegunReply(
                continues=False,
                refusal=Refusal(message="Assistant response prefill is incompatible with enable_thinking."),
                source="https://github.com/ggml-org/llama.cpp/issues/20861",
            ),
            Reasons(
                place="reasoning_content",
                source="https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md",
            ),
        ),
        errors=_LLAMA_SERVER_ERRORS,
    ),
    Personality(
        name="llama-server-gpt-oss",
        title="llama.cpp server, gpt-oss without `--jinja`",
        model="gpt-oss-20b",
        quirks=(
            *_LLAMA_SERVER,
            Rejects(
                parameter="tools",
                refusal=Refusal(message="tools param requires --jinja flag", status=500, kind="server_error"),
                source="https://github.com/defilantech/LLMKube/issues/126",
            ),
            Reasons(place="glued", source="https://github.com/oobabooga/textgen/issues/7374"),
        ),
        errors=_LLAMA_SERVER_ERRORS,
    ),
    Personality(
        name="mlx-lm",
        title="MLX LM's server, gpt-oss",
        model="mlx-community/gpt-oss-20b-MXFP4-Q8",
        quirks=(Reasons(place="channels", source="https://github.com/ml-explore/mlx-lm/pull/1867"),),
    ),
    Personality(
        name="llama-cpp-python",
        title="llama-cpp-python's server",
        model="smollm2",
        provider="llama-cpp",
        quirks=(
            Rejects(
                parameter="response_format.type",
                allowed=("text", "json_object"),
                refusal=Refusal(
                    message="[{'type': 'literal_error', 'loc': ('body', 'response_format', 'type'), 'msg': \"Input "
                    "should be 'text' or 'json_object'\", 'input': '$value'}]",
                    status=500,
                    kind="internal_server_error",
                ),
                source="https://github.com/abetlen/llama-cpp-python/blob/main/llama_cpp/llama_types.py",
            ),
            ContextLimit(
                refusal=Refusal(
                    message="This model's maximum context length is $limit tokens. However, you requested $tokens "
                    "tokens. Please reduce the length of the messages or completion.",
                    kind="invalid_request_error",
                    param="messages",
                    code="context_length_exceeded",
                ),
                source="https://github.com/abetlen/llama-cpp-python/blob/main/llama_cpp/server/errors.py",
            ),
        ),
        errors=ErrorFormat(
            template={"error": {"message": MESSAGE, "type": KIND, "param": PARAM, "code": CODE}},
            kinds={500: "internal_server_error"},
            source="https://github.com/abetlen/llama-cpp-python/blob/main/llama_cpp/server/errors.py",
        ),
    ),
    Personality(
        name="ollama",
        title="Ollama, a thinking model with tools",
        model="qwen3:8b",
        quirks=(
            *_OLLAMA,
            Reasons(place="reasoning", source="https://github.com/ollama/ollama/issues/15288"),
        ),
        errors=_OLLAMA_ERRORS,
    ),
    Personality(
        name="ollama-no-tools",
        title="Ollama, a model without tools",
        model="gemma3:4b",
        quirks=(
            *_OLLAMA,
            Rejects(
                parameter="tools",
                refusal=Refusal(
                    message="registry.ollama.ai/library/gemma3:4b does not support tools", kind="api_error"
                ),
                source="https://github.com/louisho5/picobot/issues/6",
            ),
        ),
        errors=_OLLAMA_ERRORS,
    ),
    Personality(
        name="lm-studio",
        title="LM Studio",
        model="qwen3-4b-instruct-2507",
        quirks=(
            Rejects(
                parameter="tool_choice",
                allowed=("none", "auto", "required"),
                refusal=Refusal(
                    message="Invalid tool_choice type: 'object'. Supported string values: none, auto, required"
                ),
                source="https://github.com/lmstudio-ai/lmstudio-bug-tracker/issues/670",
            ),
            Rejects(
                parameter="response_format.type",
                allowed=("json_schema", "text"),
                refusal=Refusal(message="'response_format.type' must be 'json_schema' or 'text'"),
                source="https://github.com/lmstudio-ai/lmstudio-bug-tracker/issues/189",
            ),
        ),
        errors=ErrorFormat(
            template={"error": MESSAGE}, source="https://github.com/lmstudio-ai/lmstudio-bug-tracker/issues/670"
        ),
        other_endpoints={"error": "Unexpected endpoint or method."},
        other_endpoints_source="https://github.com/lmstudio-ai/lmstudio-bug-tracker/issues/618",
    ),
    Personality(
        name="tgi",
        title="TGI, Gemma 3's template",
        model="google/gemma-3-12b-it",
        quirks=(
            RolesAlternate(
                refusal=Refusal(
                    message=f"Template error: syntax error: {MUST_ALTERNATE} (in <string>:19)",
                    status=422,
                    kind="template_error",
                ),
                source="https://github.com/huggingface/text-generation-inference/issues/3198",
            ),
            ContextLimit(
                refusal=Refusal(
                    message="Input validation error: `inputs` tokens + `max_new_tokens` must be <= $limit. Given: "
                    "$tokens `inputs` tokens and $value `max_new_tokens`",
                    status=422,
                    kind="validation",
                ),
                source="https://github.com/opea-project/GenAIInfra/issues/487",
            ),
            Adds(
                to="reply",
                fields={"id": "", "system_fingerprint": "3.2.0-sha-411a282"},
                source="https://github.com/dnakov/anon-kode/issues/60",
            ),
        ),
        errors=ErrorFormat(
            template={"error": MESSAGE, "error_type": KIND},
            kinds={422: "validation", 429: "overloaded", 500: "generation"},
            source="https://github.com/opea-project/GenAIInfra/issues/487",
        ),
    ),
)

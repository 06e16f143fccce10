"""Personalities of servers of one's own. Their replies to errors are quoted from the sources that are named."""

from __future__ import annotations

from ictbench.testing.server_zoo.message_quirks import (
    BegunReply,
    ContextLimit,
    NoNullContent,
    NoSystemRole,
    RolesAlternate,
)
from ictbench.testing.server_zoo.parameter_quirks import Ignores, Rejects
from ictbench.testing.server_zoo.personality import CODE, KIND, MESSAGE, PARAM, STATUS, ErrorFormat, Personality
from ictbench.testing.server_zoo.quirk import Refusal
from ictbench.testing.server_zoo.reply_quirks import Adds, Reasons

MUST_ALTERNATE = "Conversation roles must alternate user/assistant/user/assistant/..."
VLLM_CODE = "https://github.com/vllm-project/vllm/blob/main/vllm"
VLLM_TOOLS = "https://docs.vllm.ai/en/latest/features/tool_calling.html"

_VLLM_ERRORS = ErrorFormat(
    template={"error": {"message": MESSAGE, "type": KIND, "param": PARAM, "code": STATUS}},
    kinds={400: "BadRequestError", 404: "NotFoundError", 500: "InternalServerError"},
    source=f"{VLLM_CODE}/entrypoints/serve/engine/protocol.py",
)
_VLLM = (
    BegunReply(
        flags={"continue_final_message": True, "add_generation_prompt": False},
        source="https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html",
    ),
    ContextLimit(
        refusal=Refusal(
            message="This model's maximum context length is $limit tokens. However, your prompt contains $tokens input "
            "tokens, which exceeds this limit even without any output tokens. Please reduce the length of the input "
            "prompt.",
            param="input_tokens",
        ),
        source=f"{VLLM_CODE}/renderers/params.py",
    ),
    Adds(
        to="choice",
        fields={"stop_reason": None, "logprobs": None},
        source=f"{VLLM_CODE}/entrypoints/openai/chat_completion/protocol.py",
    ),
)
_VLLM_WITHOUT_TOOLS = (
    Rejects(
        parameter="tool_choice",
        allowed=("auto", "none"),
        refusal=Refusal(message='tool_choice=function "act" requires --tool-call-parser to be set'),
        source=VLLM_TOOLS,
    ),
    Rejects(
        parameter="tools",
        refusal=Refusal(
            message='"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set'
        ),
        source=VLLM_TOOLS,
    ),
)
_FLAT_ERRORS = {"object": "error", "message": MESSAGE, "type": KIND, "param": PARAM, "code": STATUS}

_LLAMA_SERVER = (
    Ignores(
        parameter="tool_choice",
        respected=("auto", "none", "required", None),
        source="https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md",
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

LOCAL_SERVERS = (
    Personality(
        name="vllm",
        title="vLLM without a tool-call parser",
        model="org/chat-7b",
        provider="vllm",
        quirks=(*_VLLM, *_VLLM_WITHOUT_TOOLS),
        errors=_VLLM_ERRORS,
    ),
    Personality(
        name="vllm-reasoning",
        title="vLLM with parsers for tool calls and reasoning",
        model="org/reasoner-7b",
        provider="vllm",
        quirks=(
            *_VLLM,
            Reasons(place="reasoning", source="https://docs.vllm.ai/en/stable/features/reasoning_outputs/"),
        ),
        errors=_VLLM_ERRORS,
    ),
    Personality(
        name="vllm-r1",
        title="vLLM without a reasoning parser, DeepSeek R1's template",
        model="deepseek-ai/DeepSeek-R1-Distill-Qwen-32B",
        provider="vllm",
        quirks=(
            *_VLLM,
            *_VLLM_WITHOUT_TOOLS,
            Reasons(place="closing tag", source="https://github.com/vllm-project/vllm/issues/12999"),
        ),
        errors=_VLLM_ERRORS,
    ),
    Personality(
        name="gemma",
        title="vLLM, Gemma 2's template",
        model="google/gemma-2-2b-it",
        provider="vllm",
        quirks=(
            *_VLLM,
            *_VLLM_WITHOUT_TOOLS,
            NoSystemRole(
                refusal=Refusal(message="System role not supported"),
                source="https://github.com/vllm-project/vllm/pull/2964",
            ),
            RolesAlternate(
                refusal=Refusal(message=f"{MUST_ALTERNATE} {MUST_ALTERNATE}"),
                source="https://github.com/infiniflow/ragflow/issues/11021",
            ),
        ),
        errors=ErrorFormat(
            template=_FLAT_ERRORS,
            kinds={400: "BadRequestError"},
            source="https://github.com/vllm-project/vllm/pull/2964",
        ),
    ),
    Personality(
        name="sglang",
        title="SGLang with parsers for tool calls and reasoning",
        model="Qwen/Qwen3-8B",
        quirks=(
            ContextLimit(
                refusal=Refusal(
                    message="The input ($tokens tokens) is longer than the model's context length ($limit tokens)."
                ),
                source="https://github.com/QwenLM/Qwen3/issues/1321",
            ),
            Reasons(
                place="reasoning_content",
                source="https://docs.sglang.ai/advanced_features/separate_reasoning.html",
            ),
        ),
        errors=ErrorFormat(
            template=_FLAT_ERRORS,
            kinds={400: "BadRequestError", 500: "InternalServerError"},
            source="https://github.com/QwenLM/Qwen3/issues/1321",
        ),
    ),
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
        errors=ErrorFormat(
            template={"error": {"message": MESSAGE, "type": KIND, "param": None, "code": None}},
            kinds={400: "invalid_request_error", 500: "api_error"},
            source="https://github.com/pydantic/pydantic-ai/issues/5206",
        ),
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
        errors=ErrorFormat(
            template={"error": {"message": MESSAGE, "type": KIND, "param": None, "code": None}},
            kinds={400: "invalid_request_error", 500: "api_error"},
            source="https://github.com/louisho5/picobot/issues/6",
        ),
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

"""Personalities of servers for GPUs. Their replies to errors are quoted from the sources that are named."""

from __future__ import annotations

from ictbench.testing.server_zoo.message_quirks import (
    BegunReply,
    ContextLimit,
    NoSystemRole,
    RolesAlternate,
)
from ictbench.testing.server_zoo.parameter_quirks import Rejects
from ictbench.testing.server_zoo.personality import KIND, MESSAGE, PARAM, STATUS, ErrorFormat, Personality
from ictbench.testing.server_zoo.quirk import Refusal
from ictbench.testing.server_zoo.reply_quirks import Adds, Reasons, SkipsSpecialTokens

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

GPU_SERVERS = (
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
        name="vllm-special",
        title="vLLM without a reasoning parser, a model whose markers of reasoning are special tokens",
        model="org/marker-7b",
        provider="vllm",
        quirks=(
            *_VLLM,
            *_VLLM_WITHOUT_TOOLS,
            Reasons(place="tags", source="https://github.com/verl-project/verl/issues/1724"),
            SkipsSpecialTokens(
                tokens=("<think>", "</think>"), source="https://github.com/vllm-project/vllm/issues/893"
            ),
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
)

"""OpenAI's chat completions format: requests and replies, for every provider that uses it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ictbench.errors import ModelFailure
from ictbench.models.chat_model import ACT_TOOL, ACT_TOOL_DESCRIPTION, Completion, ConstraintStyle, ToolCall
from ictbench.models.http import ReplyError
from ictbench.models.http_errors import excerpt
from ictbench.models.replies import clean_name
from ictbench.models.token_counts import counted, stated_cost, token_count
from ictbench.records import UNREPORTED, Usage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ictbench.models.chat_model import Constraint, FinishReason, Message

FINISH_REASONS: dict[str, FinishReason] = {
    "stop": "stop",
    "tool_calls": "stop",
    "function_call": "stop",
    "length": "length",
    "max_tokens": "length",
    "model_length": "length",
    **dict.fromkeys(
        ("max_output_tokens", "max_completion_tokens", "max_new_tokens", "max_length", "token_limit", "incomplete"),
        "length",
    ),
    "content_filter": "content_filter",
    "sensitive": "content_filter",
    "safety": "content_filter",
    **dict.fromkeys(
        ("content_filtered", "refusal", "recitation", "prohibited_content", "blocklist", "spii", "blocked"),
        "content_filter",
    ),
    "guardrail_intervened": "content_filter",
}
"""Names of OpenAI, and of servers that have their own for the same: Mistral's `model_length`, Zhipu's `sensitive`, and
those that gateways pass on from the Responses API, Gemini, Anthropic and Bedrock."""
ERROR_REASONS = frozenset(
    {
        *("error", "network_error", "insufficient_system_resource"),
        *("engine_overloaded", "overloaded", "unavailable", "server_error", "internal_error"),
        *("failed", "timeout", "cancelled"),
    }
)
"""Finish reasons of a reply that the server could not complete: OpenRouter's, Zhipu's, DeepSeek's, Moonshot's, and
those of the Responses API that gateways pass on."""
TEXT_PARTS = frozenset({"text", "output_text"})
REASONING_PARTS = frozenset({"thinking", "reasoning"})
REASONING_FIELDS = ("reasoning_content", "reasoning", "thinking")
"""Fields of a message: DeepSeek, vLLM and SGLang; OpenRouter, vLLM since 0.12 and Ollama; Ollama's own API."""


@dataclass(frozen=True, slots=True)
class ParsedMessage:
    """A reply's message."""

    text: str
    calls: tuple[ToolCall, ...]
    reasoning: str
    refusal: str


def openai_messages(messages: Sequence[Message]) -> list[dict[str, Any]]:
    """Convert a conversation: calls go under `tool_calls`, each answered by a message with the role `tool`."""
    return [_message(message) for message in messages]


def openai_constraint(constraint: Constraint) -> dict[str, Any]:
    """Return the request parameters that impose a constraint in style `json` or `tools`."""
    if constraint.style is ConstraintStyle.TOOLS:
        return openai_tool(constraint)
    schema = {"name": "decision", "strict": True, "schema": constraint.json_schema()}
    return {"response_format": {"type": "json_schema", "json_schema": schema}}


def openai_tool(constraint: Constraint) -> dict[str, Any]:
    """Return the request parameters that force exactly one call of the tool `act`."""
    function = {
        "name": ACT_TOOL,
        "description": ACT_TOOL_DESCRIPTION,
        "parameters": constraint.json_schema(),
        "strict": True,
    }
    return {
        "tools": [{"type": "function", "function": function}],
        "tool_choice": {"type": "function", "function": {"name": ACT_TOOL}},
        "parallel_tool_calls": False,
    }


def read_choice(choice: Any, usage: Usage) -> Completion:
    """Return the completion in one of a reply's choices.

    Raises:
        ModelFailure: The reply is a refusal.
        ReplyError: The server could not complete the reply.
        LookupError, TypeError, ValueError, AttributeError, RecursionError: The choice is malformed.
    """
    finish_reason = parse_finish_reason(choice.get("finish_reason"))
    if choice.get("error") or finish_reason in ERROR_REASONS:
        raise ReplyError(choice.get("error") or f"finish_reason {finish_reason}")
    if error := choice["message"].get("error"):
        raise ReplyError(error)
    message = parse_message(choice["message"])
    reason = FINISH_REASONS.get(finish_reason, "other")
    if reason == "content_filter" or message.refusal:
        raise ModelFailure("refused", message.refusal or "stopped by the provider's content filter", usage)
    return Completion(
        message.text, counted(usage, message.text, message.calls), reason, message.calls, message.reasoning
    )


def parse_finish_reason(reported: Any) -> str:
    """Return a finish reason in lower case; empty if there is none. SGLang's own API has an object with a `type`."""
    reason = reported.get("type") if isinstance(reported, dict) else reported
    return reason.lower() if isinstance(reason, str) else ""


def parse_message(message: Any) -> ParsedMessage:
    """Return text, tool calls, reasoning and refusal of a reply's message.

    Raises:
        LookupError, TypeError, ValueError, AttributeError, RecursionError: The message is malformed.
    """
    content = message.get("content") or ""
    refusals: list[Any] = []
    reasoning = [value for name in REASONING_FIELDS if isinstance(value := message.get(name), str) and value][:1]
    if not reasoning:
        reasoning = _texts(message.get("reasoning_details"))
    if isinstance(content, list):
        parts = [part if isinstance(part, dict) else {"type": "text", "text": part} for part in content]
        refusals = [part.get("refusal") for part in parts if part.get("type") == "refusal"]
        reasoning += _texts([part for part in parts if _is_thought(part)])
        answer = [part for part in parts if not _is_thought(part) and part["type"] in TEXT_PARTS]
        content = "".join(_required_text(part["text"]) for part in answer)
    calls = tuple(
        make_tool_call(call["function"]["name"], call["function"].get("arguments"), call.get("id"))
        for call in message.get("tool_calls") or ()
    )
    if not calls and isinstance(call := message.get("function_call"), dict):  # the form before tools
        calls = (make_tool_call(call["name"], call.get("arguments"), None),)
    refusal = message.get("refusal") or next(filter(None, refusals), None)
    refusal = excerpt(refusal if isinstance(refusal, str) else "refused") if refusal else ""
    return ParsedMessage(_required_text(content), calls, "\n\n".join(reasoning), refusal)


def make_tool_call(name: Any, arguments: Any, call_id: Any) -> ToolCall:
    """Return a call with the arguments as the model wrote them; some servers parse them into an object."""
    if arguments is not None and not isinstance(arguments, str):
        arguments = json.dumps(arguments, ensure_ascii=False)
    return ToolCall(id=clean_name(call_id), name=clean_name(name), arguments=arguments or "")


def parse_usage(reported: Any) -> Usage:
    """Return the usage of one call; it is unreported if the reply lacks a count of input or output tokens.

    The cost is the one that the reply states, as gateways do, else None.

    No request has zero input tokens: some servers send that for a prompt they had cached. Some servers, such as xAI's
    and Gemini's, leave reasoning out of `completion_tokens`, but not out of the total.
    """
    cost = stated_cost(reported)
    prompt, output = token_count(reported, "prompt_tokens"), token_count(reported, "completion_tokens")
    if not prompt or output is None:
        return UNREPORTED.model_copy(update={"cost": cost})
    output = max(output, (token_count(reported, "total_tokens") or 0) - prompt)
    cached = token_count(reported, "prompt_tokens_details", "cached_tokens")
    if cached is None:
        cached = token_count(reported, "prompt_cache_hit_tokens")  # DeepSeek
    reasoning = token_count(reported, "completion_tokens_details", "reasoning_tokens") or 0
    return Usage(
        calls=1,
        input_tokens=prompt,
        output_tokens=output,
        cached_tokens=cached if cached and cached <= prompt else 0,
        reasoning_tokens=reasoning if reasoning <= output else 0,
        cost=cost,
    )


def _message(message: Message) -> dict[str, Any]:
    if "call" not in message:
        return {**message}
    call = message["call"]
    if message["role"] == "tool":
        return {"role": "tool", "tool_call_id": call["id"], "content": message["content"]}
    function = {"name": call["name"], "arguments": call["arguments"]}
    tool_calls = [{"id": call["id"], "type": "function", "function": function}]
    return {"role": "assistant", "content": message["content"], "tool_calls": tool_calls}


def _is_thought(part: dict[str, Any]) -> bool:
    """Check whether a part of the content is reasoning. Gemini marks thoughts among the parts of the answer."""
    return part.get("type") in REASONING_PARTS or part.get("thought") is True


def _texts(parts: Any) -> list[str]:
    """Return the texts in parts of reasoning, whichever of the usual names they have."""
    texts: list[str] = []
    for part in parts if isinstance(parts, list) else []:
        for name in ("text", "thinking", "summary", "reasoning") if isinstance(part, dict) else ():
            value = part.get(name)
            texts += [value] if isinstance(value, str) and value else _texts(value)
    return texts


def _required_text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{type(value).__name__} instead of text")
    return value

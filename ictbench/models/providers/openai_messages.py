"""OpenAI's chat completions format: requests and replies, for every provider that uses it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ictbench.errors import ModelFailure
from ictbench.models.chat_model import ACT_TOOL, ACT_TOOL_DESCRIPTION, Completion, ConstraintStyle, ToolCall
from ictbench.models.http import replace_surrogates
from ictbench.records import Usage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ictbench.models.chat_model import Constraint, FinishReason, Message

FINISH_REASONS: dict[str | None, FinishReason] = {"stop": "stop", "tool_calls": "stop", "length": "length"}


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


def parse_message(message: dict[str, Any]) -> tuple[str, tuple[ToolCall, ...]]:
    """Return text and tool calls of a reply's message.

    Raises:
        LookupError, TypeError, ValueError, AttributeError: The message is malformed.
    """
    content = message.get("content")
    if isinstance(content, list):
        content = "".join(part["text"] for part in content if part["type"] == "text")
    calls = tuple(
        make_tool_call(call["function"]["name"], call["function"].get("arguments"), str(call.get("id") or ""))
        for call in message.get("tool_calls") or ()
    )
    return replace_surrogates(str(content or "")), calls


def make_tool_call(name: Any, arguments: Any, call_id: str) -> ToolCall:
    """Return a call with the arguments as the model wrote them."""
    return ToolCall(id=call_id, name=str(name), arguments=replace_surrogates(str(arguments or "")))


def parse_usage(reported: Any, cost: float | None = None) -> Usage:
    """Return the usage of one call; counts that the reply does not report are zero."""
    return Usage(
        calls=1,
        input_tokens=_count(reported, "prompt_tokens"),
        output_tokens=_count(reported, "completion_tokens"),
        cached_tokens=_count(reported, "prompt_tokens_details", "cached_tokens"),
        reasoning_tokens=_count(reported, "completion_tokens_details", "reasoning_tokens"),
        cost=cost,
    )


def make_completion(
    text: str, calls: tuple[ToolCall, ...], usage: Usage, finish_reason: str | None, refusal: Any
) -> Completion:
    """Return the completion of a reply.

    Raises:
        ModelFailure: The reply is a refusal, or empty.
    """
    if finish_reason == "content_filter" or refusal:
        raise ModelFailure("refused", str(refusal or "stopped by the provider's content filter"), usage)
    completion = Completion(text, usage, FINISH_REASONS.get(finish_reason, "other"), calls)
    if completion.is_empty:
        raise ModelFailure("empty", usage=usage)
    return completion


def _message(message: Message) -> dict[str, Any]:
    call = message.get("call")
    if call is None:
        return {"role": message["role"], "content": message["content"]}
    if message["role"] == "tool":
        return {"role": "tool", "tool_call_id": call["id"], "content": message["content"]}
    function = {"name": call["name"], "arguments": call["arguments"]}
    tool_calls = [{"id": call["id"], "type": "function", "function": function}]
    return {"role": "assistant", "content": message["content"], "tool_calls": tool_calls}


def _count(value: Any, *path: str) -> int:
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, int) else 0

"""The one tool that an actor may call, and calls of it in the words of OpenAI's chat completions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ictbench.models.chat_model import ACT_TOOL, ACT_TOOL_DESCRIPTION, ToolCall

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ictbench.models.chat_model import Constraint, Message


def openai_messages(messages: Sequence[Message]) -> list[dict[str, Any]]:
    """A conversation in OpenAI's words: calls under `tool_calls`, each answered by a message of role `tool`."""
    return [_message(message) for message in messages]


def openai_tool(constraint: Constraint) -> dict[str, Any]:
    """The parameters that have the tool called, once."""
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


def openai_calls(message: dict[str, Any]) -> tuple[ToolCall, ...]:
    """The calls that a reply makes.

    Raises:
        LookupError, TypeError, ValueError, AttributeError: they are none.
    """
    return tuple(
        tool_call(call["function"]["name"], call["function"].get("arguments"), str(call.get("id") or ""))
        for call in message.get("tool_calls") or ()
    )


def tool_call(name: Any, arguments: Any, identity: str) -> ToolCall:
    """A call as it came; JSON can carry half a surrogate pair, which no file or digest could encode."""
    plain = str(arguments or "").encode("utf-8", "replace").decode()
    return ToolCall(id=identity, name=str(name), arguments=plain)


def _message(message: Message) -> dict[str, Any]:
    call = message.get("call")
    if call is None:
        return {"role": message["role"], "content": message["content"]}
    if message["role"] == "tool":
        return {"role": "tool", "tool_call_id": call["id"], "content": message["content"]}
    function = {"name": call["name"], "arguments": call["arguments"]}
    called = [{"id": call["id"], "type": "function", "function": function}]
    return {"role": "assistant", "content": message["content"] or None, "tool_calls": called}

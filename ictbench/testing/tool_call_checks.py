"""Whether the tool calls of a request are such as the real endpoints accept, and what they say where not."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

ANTHROPIC_ID = re.compile(r"[a-zA-Z0-9_-]+")


def check_openai(body: dict[str, Any]) -> None:
    """Each call is answered by a message of role `tool` right after it, and nothing else is.

    Raises:
        ValueError: the request is refused, with what the endpoint says.
        LookupError, TypeError: it is no request.
    """
    _check_choice(body, [tool["function"]["name"] for tool in body.get("tools") or ()], "tool_choice", "function")
    open_calls: list[str] = []
    for message in body["messages"]:
        if message["role"] == "tool":
            if message["tool_call_id"] not in open_calls:
                raise ValueError(
                    "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with "
                    "'tool_calls'."
                )
            open_calls.remove(message["tool_call_id"])
            continue
        _check_answered(open_calls)
        open_calls = [_checked_call(call) for call in message.get("tool_calls") or ()]
    _check_answered(open_calls)


def check_anthropic(body: dict[str, Any]) -> None:
    """Each `tool_use` has its `tool_result` at the beginning of the next message, and nothing else has.

    Raises:
        ValueError: the request is refused, with what the endpoint says.
        LookupError, TypeError: it is no request.
    """
    tools = [tool["name"] for tool in body.get("tools") or ()]
    _check_choice(body, tools, "tool_choice", None)
    used: list[str] = []
    ever: set[str] = set()
    for number, message in enumerate(body["messages"]):
        blocks = message["content"] if isinstance(message["content"], list) else []
        results = [block["tool_use_id"] for block in blocks if block["type"] == "tool_result"]
        if unknown := [identity for identity in results if identity not in used]:
            raise ValueError(
                f"messages.{number}: unexpected `tool_use_id` found in `tool_result` blocks: {', '.join(unknown)}. "
                "Each `tool_result` block must have a corresponding `tool_use` block in the previous message."
            )
        _check_used(number - 1, [identity for identity in used if identity not in results])
        if [block["type"] for block in blocks[: len(results)]] != ["tool_result"] * len(results):
            raise ValueError(f"messages.{number}: `tool_result` blocks must come first in the content")
        used = [block["id"] for block in blocks if block["type"] == "tool_use"]
        if wrong := [identity for identity in used if not ANTHROPIC_ID.fullmatch(identity)]:
            raise ValueError(
                f"messages.{number}: `tool_use.id` should match '{ANTHROPIC_ID.pattern}', got {wrong[0]!r}"
            )
        if len(ever | set(used)) < len(ever) + len(used):
            raise ValueError(f"messages.{number}: `tool_use` ids must be unique")
        ever |= set(used)
        if (used or results) and not tools:
            raise ValueError("Requests which have `tool_use` or `tool_result` blocks must define tools.")
    _check_used(len(body["messages"]) - 1, used)


def _checked_call(call: dict[str, Any]) -> str:
    if call["type"] != "function" or not isinstance(call["function"]["arguments"], str):
        raise ValueError("Invalid type for 'tool_calls': a function's arguments are a string")
    if not call["function"]["name"] or not call["id"]:
        raise ValueError("Missing required parameter in 'tool_calls'")
    return str(call["id"])


def _check_answered(open_calls: Sequence[str]) -> None:
    if open_calls:
        raise ValueError(
            "An assistant message with 'tool_calls' must be followed by tool messages responding to each "
            f"'tool_call_id'. The following tool_call_ids did not have response messages: {', '.join(open_calls)}"
        )


def _check_used(number: int, unanswered: Sequence[str]) -> None:
    if unanswered:
        raise ValueError(
            f"messages.{number}: `tool_use` ids were found without `tool_result` blocks immediately after: "
            f"{', '.join(unanswered)}. Each `tool_use` block must have a corresponding `tool_result` block in the next "
            "message."
        )


def _check_choice(body: dict[str, Any], tools: Sequence[str], name: str, inside: str | None) -> None:
    choice = body.get(name)
    if choice is not None and not tools:
        raise ValueError(f"'{name}' is only allowed when 'tools' are specified.")
    named = (choice[inside] if inside else choice).get("name") if isinstance(choice, dict) else None
    if named is not None and named not in tools:
        raise ValueError(f"Tool '{named}' not found in provided tools")

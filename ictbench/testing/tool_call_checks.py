"""Checks of the tool calls in a request, as the real endpoints make them and with their error messages."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

ANTHROPIC_ID = re.compile(r"[a-zA-Z0-9_-]+")


def check_openai_calls(body: dict[str, Any]) -> None:
    """Check that each call is answered by a message with the role `tool` right after it.

    Raises:
        ValueError: The endpoint would reject the request; the message is the endpoint's.
        LookupError, TypeError: The request is malformed.
    """
    choice = body.get("tool_choice")
    chosen = choice["function"].get("name") if isinstance(choice, dict) else None
    _check_tool_choice(choice, chosen, [tool["function"]["name"] for tool in body.get("tools") or ()])
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
        _check_all_answered(open_calls)
        open_calls = [_openai_call_id(call) for call in message.get("tool_calls") or ()]
    _check_all_answered(open_calls)


def check_anthropic_calls(body: dict[str, Any]) -> None:
    """Check that each `tool_use` block has its `tool_result` block at the start of the next message.

    Raises:
        ValueError: The endpoint would reject the request; the message is the endpoint's.
        LookupError, TypeError: The request is malformed.
    """
    tools = [tool["name"] for tool in body.get("tools") or ()]
    choice = body.get("tool_choice")
    _check_tool_choice(choice, choice.get("name") if isinstance(choice, dict) else None, tools)
    calls: list[str] = []
    all_calls: set[str] = set()
    for number, message in enumerate(body["messages"]):
        blocks = message["content"] if isinstance(message["content"], list) else []
        results = [block["tool_use_id"] for block in blocks if block["type"] == "tool_result"]
        if unknown := [call_id for call_id in results if call_id not in calls]:
            raise ValueError(
                f"messages.{number}: unexpected `tool_use_id` found in `tool_result` blocks: {', '.join(unknown)}. "
                "Each `tool_result` block must have a corresponding `tool_use` block in the previous message."
            )
        _check_all_used(number - 1, [call_id for call_id in calls if call_id not in results])
        if [block["type"] for block in blocks[: len(results)]] != ["tool_result"] * len(results):
            raise ValueError(f"messages.{number}: `tool_result` blocks must come first in the content")
        calls = [block["id"] for block in blocks if block["type"] == "tool_use"]
        if invalid := [call_id for call_id in calls if not ANTHROPIC_ID.fullmatch(call_id)]:
            raise ValueError(
                f"messages.{number}: `tool_use.id` should match '{ANTHROPIC_ID.pattern}', got {invalid[0]!r}"
            )
        if len(all_calls | set(calls)) < len(all_calls) + len(calls):
            raise ValueError(f"messages.{number}: `tool_use` ids must be unique")
        all_calls |= set(calls)
        if (calls or results) and not tools:
            raise ValueError("Requests which have `tool_use` or `tool_result` blocks must define tools.")
    _check_all_used(len(body["messages"]) - 1, calls)


def _openai_call_id(call: dict[str, Any]) -> str:
    if call["type"] != "function" or not isinstance(call["function"]["arguments"], str):
        raise ValueError("Invalid type for 'tool_calls': a function's arguments are a string")
    if not call["function"]["name"] or not call["id"]:
        raise ValueError("Missing required parameter in 'tool_calls'")
    return str(call["id"])


def _check_all_answered(open_calls: Sequence[str]) -> None:
    if open_calls:
        raise ValueError(
            "An assistant message with 'tool_calls' must be followed by tool messages responding to each "
            f"'tool_call_id'. The following tool_call_ids did not have response messages: {', '.join(open_calls)}"
        )


def _check_all_used(number: int, open_calls: Sequence[str]) -> None:
    if open_calls:
        raise ValueError(
            f"messages.{number}: `tool_use` ids were found without `tool_result` blocks immediately after: "
            f"{', '.join(open_calls)}. Each `tool_use` block must have a corresponding `tool_result` block in the next "
            "message."
        )


def _check_tool_choice(choice: Any, chosen: str | None, tools: Sequence[str]) -> None:
    if choice is not None and not tools:
        raise ValueError("'tool_choice' is only allowed when 'tools' are specified.")
    if chosen is not None and chosen not in tools:
        raise ValueError(f"Tool '{chosen}' not found in provided tools")

"""The scripted server rejects tool calls that the real endpoints reject."""

from __future__ import annotations

from typing import Any

import pytest

from ictbench.testing.tool_call_checks import check_anthropic_calls, check_openai_calls

USER = {"role": "user", "content": "A room."}


def calls(*call_ids: str, arguments: Any = "{}") -> dict[str, Any]:
    function = {"name": "act", "arguments": arguments}
    tool_calls = [{"id": call_id, "type": "function", "function": function} for call_id in call_ids]
    return {"role": "assistant", "content": None, "tool_calls": tool_calls}


def result(call_id: str) -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": call_id, "content": "A hall."}


OPENAI_TOOLS = [{"type": "function", "function": {"name": "act", "parameters": {}}}]


def test_openai_accepts_calls_with_their_results() -> None:
    check_openai_calls({"messages": [USER, calls("a", "b"), result("b"), result("a"), calls("c"), result("c"), USER]})
    choice = {"type": "function", "function": {"name": "act"}}
    check_openai_calls({"messages": [USER], "tools": OPENAI_TOOLS, "tool_choice": choice})
    check_openai_calls({"messages": [USER], "tools": OPENAI_TOOLS, "tool_choice": "required"})


@pytest.mark.parametrize(
    ("messages", "error"),
    [
        ([USER, result("a")], "messages with role 'tool' must be a response to a preceeding message"),
        ([USER, calls("a"), result("b")], "messages with role 'tool' must be a response"),
        ([USER, calls("a"), result("a"), result("a")], "messages with role 'tool' must be a response"),
        ([USER, calls("a"), USER], "did not have response messages: a"),
        ([USER, calls("a", "b"), result("a")], "did not have response messages: b"),
        ([USER, calls("")], "Missing required parameter in 'tool_calls'"),
        ([USER, calls("a", arguments={})], "a function's arguments are a string"),
    ],
)
def test_openai_rejects_calls_and_results_that_do_not_match(messages: list[Any], error: str) -> None:
    with pytest.raises(ValueError, match=error):
        check_openai_calls({"messages": messages})


def test_openai_rejects_a_tool_choice_without_that_tool() -> None:
    choice = {"type": "function", "function": {"name": "walk"}}
    with pytest.raises(ValueError, match="'tool_choice' is only allowed when 'tools' are specified"):
        check_openai_calls({"messages": [USER], "tool_choice": choice})
    with pytest.raises(ValueError, match="Tool 'walk' not found in provided tools"):
        check_openai_calls({"messages": [USER], "tool_choice": choice, "tools": OPENAI_TOOLS})


def uses(*call_ids: str) -> dict[str, Any]:
    blocks = [{"type": "tool_use", "id": call_id, "name": "act", "input": {}} for call_id in call_ids]
    return {"role": "assistant", "content": blocks}


def results(*call_ids: str, text: str = "", text_first: bool = False) -> dict[str, Any]:
    blocks = [{"type": "tool_result", "tool_use_id": call_id, "content": "A hall."} for call_id in call_ids]
    texts = [{"type": "text", "text": text}] if text else []
    return {"role": "user", "content": [*texts, *blocks] if text_first else [*blocks, *texts]}


ANTHROPIC_TOOLS = [{"name": "act", "input_schema": {}}]


def test_anthropic_accepts_uses_with_their_results() -> None:
    messages = [USER, uses("a", "b"), results("b", "a", text="And now?"), uses("c"), results("c")]
    check_anthropic_calls(
        {"messages": messages, "tools": ANTHROPIC_TOOLS, "tool_choice": {"type": "tool", "name": "act"}}
    )


@pytest.mark.parametrize(
    ("messages", "error"),
    [
        ([USER, uses("a")], "messages.1: `tool_use` ids were found without `tool_result` blocks immediately after: a"),
        ([USER, uses("a"), USER], "`tool_use` ids were found without `tool_result` blocks immediately after: a"),
        ([results("a")], "messages.0: unexpected `tool_use_id` found in `tool_result` blocks: a"),
        ([USER, uses("a"), results("a", text="Well.", text_first=True)], "`tool_result` blocks must come first"),
        ([USER, uses("a b"), results("a b")], "`tool_use.id` should match"),
        ([USER, uses("a"), results("a"), uses("a"), results("a")], "messages.3: `tool_use` ids must be unique"),
    ],
)
def test_anthropic_rejects_uses_and_results_that_do_not_match(messages: list[Any], error: str) -> None:
    with pytest.raises(ValueError, match=error):
        check_anthropic_calls({"messages": messages, "tools": ANTHROPIC_TOOLS})


def test_anthropic_rejects_uses_of_undefined_tools() -> None:
    with pytest.raises(ValueError, match="must define tools"):
        check_anthropic_calls({"messages": [USER, uses("a"), results("a")]})
    with pytest.raises(ValueError, match="Tool 'walk' not found"):
        check_anthropic_calls(
            {"messages": [USER], "tools": ANTHROPIC_TOOLS, "tool_choice": {"type": "tool", "name": "walk"}}
        )

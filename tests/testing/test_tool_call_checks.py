"""The scripted server refuses what the real endpoints refuse."""

from __future__ import annotations

from typing import Any

import pytest

from ictbench.testing.tool_call_checks import check_anthropic, check_openai

USER = {"role": "user", "content": "A room."}


def calls(*identities: str, arguments: Any = "{}") -> dict[str, Any]:
    made = [{"id": one, "type": "function", "function": {"name": "act", "arguments": arguments}} for one in identities]
    return {"role": "assistant", "content": None, "tool_calls": made}


def result(identity: str) -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": identity, "content": "A hall."}


OPENAI_TOOLS = [{"type": "function", "function": {"name": "act", "parameters": {}}}]


def test_openai_takes_calls_with_their_results() -> None:
    check_openai({"messages": [USER, calls("a", "b"), result("b"), result("a"), calls("c"), result("c"), USER]})
    choice = {"type": "function", "function": {"name": "act"}}
    check_openai({"messages": [USER], "tools": OPENAI_TOOLS, "tool_choice": choice})
    check_openai({"messages": [USER], "tools": OPENAI_TOOLS, "tool_choice": "required"})


@pytest.mark.parametrize(
    ("messages", "told"),
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
def test_openai_refuses_calls_and_results_that_do_not_belong_together(messages: list[Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        check_openai({"messages": messages})


def test_openai_refuses_a_choice_of_a_tool_that_is_not_there() -> None:
    choice = {"type": "function", "function": {"name": "walk"}}
    with pytest.raises(ValueError, match="'tool_choice' is only allowed when 'tools' are specified"):
        check_openai({"messages": [USER], "tool_choice": choice})
    with pytest.raises(ValueError, match="Tool 'walk' not found in provided tools"):
        check_openai({"messages": [USER], "tool_choice": choice, "tools": OPENAI_TOOLS})


def used(*identities: str) -> dict[str, Any]:
    blocks = [{"type": "tool_use", "id": one, "name": "act", "input": {}} for one in identities]
    return {"role": "assistant", "content": blocks}


def told(*identities: str, text: str = "", first: bool = False) -> dict[str, Any]:
    blocks = [{"type": "tool_result", "tool_use_id": one, "content": "A hall."} for one in identities]
    texts = [{"type": "text", "text": text}] if text else []
    return {"role": "user", "content": [*texts, *blocks] if first else [*blocks, *texts]}


ANTHROPIC_TOOLS = [{"name": "act", "input_schema": {}}]


def test_anthropic_takes_uses_with_their_results() -> None:
    messages = [USER, used("a", "b"), told("b", "a", text="And now?"), used("c"), told("c")]
    check_anthropic({"messages": messages, "tools": ANTHROPIC_TOOLS, "tool_choice": {"type": "tool", "name": "act"}})


@pytest.mark.parametrize(
    ("messages", "why"),
    [
        ([USER, used("a")], "messages.1: `tool_use` ids were found without `tool_result` blocks immediately after: a"),
        ([USER, used("a"), USER], "`tool_use` ids were found without `tool_result` blocks immediately after: a"),
        ([told("a")], "messages.0: unexpected `tool_use_id` found in `tool_result` blocks: a"),
        ([USER, used("a"), told("a", text="Well.", first=True)], "`tool_result` blocks must come first"),
        ([USER, used("a b"), told("a b")], "`tool_use.id` should match"),
        (
            [USER, used("a"), told("a"), used("a"), told("a")],
            "messages.3: `tool_use` ids must be unique",
        ),
    ],
)
def test_anthropic_refuses_uses_and_results_that_do_not_belong_together(messages: list[Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        check_anthropic({"messages": messages, "tools": ANTHROPIC_TOOLS})


def test_anthropic_wants_tools_defined_where_they_were_used() -> None:
    with pytest.raises(ValueError, match="must define tools"):
        check_anthropic({"messages": [USER, used("a"), told("a")]})
    with pytest.raises(ValueError, match="Tool 'walk' not found"):
        check_anthropic({"messages": [USER], "tools": ANTHROPIC_TOOLS, "tool_choice": {"type": "tool", "name": "walk"}})

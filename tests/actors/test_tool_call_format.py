"""Native tool calls: what is sent, what is parsed, and the conversation in both wire formats."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

from ictbench.actors.actor import History
from ictbench.actors.react import ReActActor
from ictbench.actors.tool_call_format import TOOLS_FORMAT, parse_tool_call
from ictbench.errors import ModelFailure, UsageError
from ictbench.models import Completion, ModelClient, ToolCall, UsageMeter
from ictbench.models.providers.anthropic import AnthropicModel
from ictbench.models.providers.litellm import LiteLLMModel
from ictbench.models.providers.llama_cpp import LlamaCppModel
from ictbench.models.providers.openai import OpenAIModel
from ictbench.models.providers.vllm import VLLMModel
from ictbench.records import Decision, ModelSpec, Step, Usage
from ictbench.testing import Reply, ScriptedServer

if TYPE_CHECKING:
    from collections.abc import Callable

    from ictbench.models import ChatModel

ACTIONS = ("step n", "pickup")
SITUATION = "A room.\n\nAvailable actions:\nstep n\npickup"
SCHEMA = {
    "type": "object",
    "properties": {"thought": {"type": "string", "maxLength": 300}, "action": {"type": "string", "enum": [*ACTIONS]}},
    "required": ["thought", "action"],
    "additionalProperties": False,
}
MODELS: dict[str, tuple[Callable[[ModelSpec], ChatModel], str, str]] = {
    "openai": (OpenAIModel, "scripted", "url"),
    "vllm": (VLLMModel, "scripted", "url"),
    "litellm": (LiteLLMModel, "openai/scripted", "url"),
    "anthropic": (AnthropicModel, "scripted", "anthropic_url"),
    "litellm-anthropic": (LiteLLMModel, "anthropic/scripted", "anthropic_url"),
}


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY"):
        monkeypatch.setenv(name, "sk-none")


def step(observation: str, proposed: str | None, thought: str = "") -> Step:
    executed = proposed if proposed in ACTIONS else None
    return Step(
        observation=observation, actions=ACTIONS, digest="", thought=thought, proposed=proposed, executed=executed
    )


def decide(
    reply: Reply, *steps: Step, model: str = "openai", window: int | None = None
) -> tuple[Decision, dict[str, Any]]:
    """Return the actor's decision and the request that it sent."""
    adapter, name, url = MODELS[model]
    with ScriptedServer([reply], record=True) as server:

        async def once() -> Decision:
            adapted = adapter(ModelSpec(provider=model, model=name, base_url=getattr(server, url)))
            opened = ModelClient(adapted, UsageMeter())
            try:
                actor = ReActActor(opened, decoding="tools", history=window)
                return await actor.act("Play well.", History(steps, "A room.", ACTIONS, 25), seed=1)
            finally:
                await opened.aclose()

        return asyncio.run(once()), server.requests_log[0]


def calling(action: object, thought: str = "Go.") -> Reply:
    return Reply(None, calls=(("act", json.dumps({"thought": thought, "action": action})),))


PAST = (
    step("A hall.", "step n", "Go."),
    step("A wall.", "jump", "Up."),
    step("Nothing.", None, "Hm."),
    step("", "pickup"),
)


@pytest.mark.parametrize("model", MODELS)
def test_a_tool_call_becomes_a_decision(model: str) -> None:
    decision, _ = decide(calling("pickup"), *PAST, model=model)
    assert (decision.action, decision.thought) == ("pickup", "Go.")
    assert decision.usage.calls == 1


def test_openai_gets_one_required_tool_with_the_actions_as_an_enum() -> None:
    _, sent = decide(calling("step n"))
    (tool,) = sent["tools"]
    assert (tool["type"], tool["function"]["name"], tool["function"]["strict"]) == ("function", "act", True)
    assert tool["function"]["parameters"] == SCHEMA
    assert sent["tool_choice"] == {"type": "function", "function": {"name": "act"}}
    assert sent["parallel_tool_calls"] is False
    assert sent["messages"] == [
        {"role": "system", "content": f"Play well.\n\n{TOOLS_FORMAT}"},
        {"role": "user", "content": SITUATION},
    ]


def test_past_decisions_are_calls_and_next_observations_are_their_results() -> None:
    _, sent = decide(calling("step n"), *PAST)
    conversation = [(message["role"], message["content"]) for message in sent["messages"][1:]]
    assert conversation == [
        ("user", "A hall."),
        ("assistant", ""),
        ("tool", "A wall."),
        ("assistant", ""),
        ("tool", "Nothing."),
        ("assistant", "Hm."),  # no call, so no result
        ("user", "(nothing)"),
        ("assistant", ""),
        ("tool", SITUATION),
    ]
    calls = [message["tool_calls"][0] for message in sent["messages"] if message.get("tool_calls")]
    assert [json.loads(call["function"]["arguments"]) for call in calls] == [
        {"thought": "Go.", "action": "step n"},
        {"thought": "Up.", "action": "jump"},
        {"thought": "", "action": "pickup"},
    ]
    result_ids = [message["tool_call_id"] for message in sent["messages"] if message["role"] == "tool"]
    assert result_ids == [call["id"] for call in calls]
    assert len(set(result_ids)) == 3
    assert all(len(id_) == 9 and id_.isalnum() for id_ in result_ids)


def test_a_window_starts_with_an_observation() -> None:
    _, sent = decide(calling("step n"), *PAST, window=1)
    assert [message["role"] for message in sent["messages"]] == ["system", "user", "assistant", "tool"]
    _, sent = decide(calling("step n"), *PAST, window=0)
    assert [message["role"] for message in sent["messages"]] == ["system", "user"]


def test_anthropic_gets_tool_use_and_tool_results() -> None:
    _, sent = decide(calling("step n"), *PAST, model="anthropic")
    assert sent["tools"][0]["name"] == "act"
    assert sent["tools"][0]["input_schema"] == SCHEMA
    assert sent["tool_choice"] == {"type": "tool", "name": "act", "disable_parallel_tool_use": True}
    kinds = [
        (turn["role"], [block["type"] for block in turn["content"]] if isinstance(turn["content"], list) else "text")
        for turn in sent["messages"]
    ]
    assert kinds == [
        ("user", "text"),
        ("assistant", ["tool_use"]),
        ("user", ["tool_result"]),
        ("assistant", ["tool_use"]),
        ("user", ["tool_result"]),
        ("assistant", "text"),
        ("user", "text"),
        ("assistant", ["tool_use"]),
        ("user", ["tool_result"]),
    ]
    assert sent["messages"][-2]["content"][0]["cache_control"] == {"type": "ephemeral"}
    assert sent["messages"][-1]["content"][0]["content"] == SITUATION


def test_the_tool_is_optional_for_models_that_cannot_be_forced_to_call_it() -> None:
    adapter, _, _ = MODELS["anthropic"]
    with ScriptedServer([calling("step n")], record=True) as server:

        async def once() -> None:
            spec = ModelSpec(provider="anthropic", model="claude-sonnet-5-5", base_url=server.anthropic_url)
            opened = adapter(spec)
            await ReActActor(opened, decoding="tools").act("p", History((), "A room.", ACTIONS, 25), seed=1)
            await opened.aclose()

        asyncio.run(once())
    assert server.requests_log[0]["tool_choice"] == {"type": "auto", "disable_parallel_tool_use": True}


TWICE = Reply(None, calls=(calling("step n").calls[0], calling("pickup").calls[0]))
UNUSUAL: dict[str, tuple[Reply, str | None, str]] = {
    "no call": (Reply("I would go north."), None, "I would go north."),
    "an unknown action": (calling("jump"), "jump", "Go."),
    "two calls": (
        TWICE,
        None,
        'act({"thought": "Go.", "action": "step n"})\nact({"thought": "Go.", "action": "pickup"})',
    ),
    "another tool": (Reply(None, calls=(("walk", '{"action": "step n"}'),)), None, 'walk({"action": "step n"})'),
    "no action": (Reply(None, calls=(("act", '{"thought": "Hm."}'),)), None, 'act({"thought": "Hm."})'),
    "an action that is not text": (calling(None), None, 'act({"thought": "Go.", "action": null})'),
}


@pytest.mark.parametrize("model", ["openai", "anthropic", "litellm"])
@pytest.mark.parametrize("name", UNUSUAL)
def test_only_a_single_call_with_an_action_gives_an_action(name: str, model: str) -> None:
    reply, action, thought = UNUSUAL[name]
    decision, _ = decide(reply, model=model)
    assert (decision.action, decision.thought) == (action, thought)


@pytest.mark.parametrize("arguments", ['{"action": "step', "step n", "[]", "null", "", '"step n"'])
def test_invalid_arguments_give_no_action(arguments: str) -> None:
    decision, _ = decide(Reply(None, calls=(("act", arguments),)))
    assert (decision.action, decision.thought) == (None, f"act({arguments})")


def test_a_truncated_call_fails_the_episode() -> None:
    truncated = Reply(None, calls=(("act", '{"thought": "I th'),), finish_reason="length")
    with pytest.raises(ModelFailure, match="truncated: the reply has no end and no action"):
        decide(truncated)


@pytest.mark.parametrize("model", ["openai", "anthropic", "litellm"])
def test_a_reply_without_text_and_call_is_empty(model: str) -> None:
    with pytest.raises(ModelFailure, match="empty"):
        decide(Reply(""), model=model)


def test_text_with_a_call_is_the_thought_if_the_call_has_none() -> None:
    call = ToolCall(id="1", name="act", arguments='{"action": "step n"}')
    assert parse_tool_call(Completion("It is north.", Usage(), calls=(call,))) == ("step n", "It is north.")


def test_a_model_without_tool_calls_is_an_error() -> None:
    model = LlamaCppModel(ModelSpec(provider="llama-cpp", model="tiny.gguf", base_url="http://127.0.0.1:1"))
    message = "llama-cpp/tiny.gguf does not support decoding 'tools'; it supports: grammar, json, free"
    with pytest.raises(UsageError, match=message):
        ReActActor(model, decoding="tools")

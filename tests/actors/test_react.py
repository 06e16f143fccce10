from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ictbench.actors.actor import History
from ictbench.actors.react import FORMAT, ReActActor, parse_json_reply, parse_reply, render_messages
from ictbench.errors import ModelFailure, ModelUnavailableError, UsageError
from ictbench.models import ModelClient, Retry, UsageMeter
from ictbench.models.providers.openai import OpenAIModel
from ictbench.records import Decision, ModelSpec, Step
from ictbench.testing import Reply, ScriptedServer

ACTIONS = ("step n", "step ne", "pickup")


def step(observation: str, proposed: str | None, thought: str = "", actions: tuple[str, ...] = ACTIONS) -> Step:
    return Step(
        observation=observation, actions=actions, digest="", thought=thought, proposed=proposed, executed=proposed
    )


def decide(reply: str | Reply, *, history: History | None = None) -> tuple[Decision, list[dict[str, Any]]]:
    with ScriptedServer([reply], record=True) as server:

        async def once() -> Decision:
            spec = ModelSpec(provider="openai", model="scripted", base_url=server.url)
            model = ModelClient(OpenAIModel(spec), UsageMeter(), retry=Retry(base_wait=0.0))
            try:
                actor = ReActActor(model)
                return await actor.act("Play well.", history or History((), "A room.", ACTIONS, 25), seed=11)
            finally:
                await model.aclose()

        return asyncio.run(once()), server.requests_log


def test_a_reply_becomes_a_decision() -> None:
    decision, requests = decide("Thought: North looks good.\nAction: step n")
    assert (decision.action, decision.thought) == ("step n", "North looks good.")
    assert decision.usage.calls == 1
    assert decision.usage.output_tokens == 7
    assert requests[0]["seed"] == 11
    assert requests[0]["messages"] == [
        {"role": "system", "content": f"Play well.\n\n{FORMAT}"},
        {"role": "user", "content": "A room.\n\nAvailable actions:\nstep n\nstep ne\npickup"},
    ]


def test_the_whole_history_is_shown_with_past_actions_only_if_they_differ() -> None:
    steps = (
        step("A room.", "step n", "Go."),
        step("A scroll.", "pickup", actions=("pickup",)),
        step("", None, "I wonder."),
        step("Still here.", None),
    )
    messages = render_messages("Play.", History(steps, "Dark.", ACTIONS, 25))
    assert [(message["role"], message["content"]) for message in messages[1:]] == [
        ("user", "A room."),
        ("assistant", "Thought: Go.\nAction: step n"),
        ("user", "A scroll.\n\nAvailable actions:\npickup"),
        ("assistant", "Action: pickup"),
        ("user", "(nothing)"),
        ("assistant", "Thought: I wonder."),
        ("user", "Still here."),
        ("assistant", "(no answer)"),
        ("user", "Dark.\n\nAvailable actions:\nstep n\nstep ne\npickup"),
    ]


@pytest.mark.parametrize(
    ("text", "action", "thought"),
    [
        ("Thought: Up.\nAction: step n", "step n", "Up."),
        ("thought: Up.\naction:step n", "step n", "Up."),
        ("**Thought:** Up.\n\n**Action:** step n", "step n", "Up."),
        ("**Thought**: Up.\n**Action**: **step n**", "step n", "Up."),
        ("Up.\n**Action: `step n`**", "step n", "Up."),
        ("Up.\n  ACTION : `step n`\r\n", "step n", "Up."),
        ("Action: step n", "step n", ""),
        ("Action: step n\nI did it.", "step n", ""),
        ("Up.\nAction: step n\nNo.\nAction: pickup", "step n", "Up."),
        ("Thought\uff1a Up.\nAction\uff1astep n", "step n", "Up."),
        ("Thought: Thought: twice\nAction: x", "x", "Thought: twice"),
        ("Two\nlines.\nAction: x", "x", "Two\nlines."),
        ("Thought: I see.", None, "I see."),
        ("step n", None, "step n"),
        ("My action: step n", None, "My action: step n"),
        ("Actions: step n", None, "Actions: step n"),
        ("Hm.\nAction:\nstep n", None, "Hm."),
        ("", None, ""),
    ],
)
def test_action_and_thought_are_parsed_from_a_reply(text: str, action: str | None, thought: str) -> None:
    assert parse_reply(text) == (action, thought)


def test_an_action_on_a_truncated_line_is_ignored() -> None:
    assert parse_reply("Go.\nAction: step n", truncated=True) == (None, "Go.\nAction: step n")
    assert parse_reply("Go.\nAction: step ne\nNow I", truncated=True) == ("step ne", "Go.")
    decision, _ = decide(Reply("Go.\nAction: step ne\nNow I", finish_reason="length"))
    assert decision.action == "step ne"


def test_a_truncated_reply_without_an_action_fails_the_episode() -> None:
    with pytest.raises(ModelFailure) as caught:
        decide(Reply("Thought: I think and think", finish_reason="length"))
    assert caught.value.kind == "truncated"
    assert caught.value.usage is not None
    assert caught.value.usage.output_tokens == 5


def test_a_window_shows_whole_turns_and_starts_with_an_observation() -> None:
    past = tuple(step(f"room {number}", "step n", "Go.") for number in range(5))
    history = History(past, "now", ACTIONS, 25)
    for window, rooms in ((None, 5), (0, 0), (2, 2), (9, 5)):
        _, first, *rest = render_messages("p", history, window)
        assert first["role"] == "user"
        assert [message["role"] for message in (first, *rest)] == ["user", "assistant"] * rooms + ["user"]
        assert first["content"].startswith("room 3" if window == 2 else "room 0" if rooms else "now")


@pytest.mark.parametrize(
    ("reply", "truncated", "expected"),
    [
        ('{"thought": "Go.", "action": "step n"}', False, ("step n", "Go.")),
        ('{"thought": "Go.", "action": "step n"}', True, (None, "Go.")),
        ('{"thought": "Go."}', False, (None, '{"thought": "Go."}')),
        ("[1]", False, (None, "[1]")),
        ("step n", False, (None, "step n")),
    ],
)
def test_action_and_thought_are_parsed_from_a_json_reply(
    reply: str, truncated: bool, expected: tuple[str | None, str]
) -> None:
    assert parse_json_reply(reply, truncated=truncated) == expected


def test_constrained_decoding_sends_the_available_actions_as_a_schema() -> None:
    with ScriptedServer(['{"thought": "Go.", "action": "pickup"}'], record=True) as server:

        async def once() -> Decision:
            model = OpenAIModel(ModelSpec(provider="openai", model="scripted", base_url=server.url))
            try:
                return await ReActActor(model, decoding="json").act("p", History((), "A room.", ACTIONS, 25), seed=1)
            finally:
                await model.aclose()

        assert asyncio.run(once()).action == "pickup"
        sent = server.requests_log[0]["response_format"]["json_schema"]["schema"]
        assert sent["properties"]["action"]["enum"] == list(ACTIONS)


def test_a_decoding_that_the_model_does_not_support_is_an_error() -> None:
    model = OpenAIModel(ModelSpec(provider="openai", model="scripted", base_url="http://127.0.0.1:1/v1"))
    with pytest.raises(UsageError, match="does not support decoding 'grammar'; it supports: json, tools, free"):
        ReActActor(model, decoding="grammar")


@given(st.text(), st.booleans())
def test_any_text_can_be_parsed(text: str, truncated: bool) -> None:
    action, _ = parse_reply(text, truncated=truncated)
    assert action is None or (action and action in text)


def plain(alphabet: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Return texts without spaces and marks around them."""
    return (
        st.text(alphabet)
        .map(lambda text: text.strip().strip("*` \t").strip())
        .filter(lambda text: text == text.strip().strip("*` \t").strip())
    )


@given(plain(st.characters(exclude_categories=["Cs"])), plain(st.characters(exclude_characters="\n")))
def test_shown_replies_are_parsed_back(thought: str, action: str) -> None:
    shown = render_messages("", History((step("A room.", action, thought),), "", ACTIONS, 25))[2]["content"]
    assert parse_reply(shown) == (action or None, thought)


def test_errors_of_the_model_and_the_endpoint_are_raised() -> None:
    with pytest.raises(ModelFailure, match="empty"):
        decide("")
    with pytest.raises(ModelUnavailableError, match="busy"):
        decide(Reply("busy", status=503))


def test_the_actor_needs_a_model_and_has_no_other_options() -> None:
    assert ReActActor.needs_model
    with pytest.raises(UsageError, match="needs a language model"):
        ReActActor(None)
    with pytest.raises(TypeError, match="window"):
        ReActActor(None, window=3)


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)

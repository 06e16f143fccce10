from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ictbench.actors.actor import History
from ictbench.actors.react import FORMAT, ReActActor, parse_json_reply, parse_reply, plain_action, render_messages
from ictbench.errors import ConfigError, ModelFailure, ModelUnavailableError, UsageError
from ictbench.models import ChatModel, Completion, ConstraintStyle, ModelClient, Retry, ToolCall, UsageMeter
from ictbench.models.providers.openai import OpenAIModel
from ictbench.records import Decision, ModelSpec, Step, Usage
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
        ("**Action\uff1a** `step n`", "step n", ""),
        ("*Thought*\uff1aUp.\n`Action`: `step n`", "step n", "Up."),
        ("Thought: Action: eat is deadly.\nAction: step n", "step n", "Action: eat is deadly."),
        ("Thought: I could choose `Action: eat`.\nAction: step n", "step n", "I could choose `Action: eat`."),
        ("Action: step n, step ne", "step n, step ne", ""),
        ("Action: step n Action: step ne", "step n Action: step ne", ""),
        ("```\nThought: Up.\nAction: step n\n```", "step n", "Up."),
        # Invented turns.
        ("Up.\nAction: step n\nObservation: You die.\nAction: pickup", "step n", "Up."),
        ("Up.\nObservation: You die.\nAction: pickup", None, "Up."),
        ("Up.\n**Observation 2:** You die.\nAction: pickup", None, "Up."),
        ("Up.\nUser: Go on.\nAction: pickup", None, "Up."),
        ("Observation: A room.\nThought: Up.\nAction: step n", "step n", "Observation: A room.\nThought: Up."),
        ("Up.\nAction: step n<|im_end|>\n<|im_start|>user\nA hall.", "step n", "Up."),
        ("Up.<|eot_id|>\nAction: pickup", None, "Up."),
        ("<|im_start|>assistant\nAction: step n</s>", "step n", ""),
        # Reasoning.
        ("<think>I could\nAction: eat\nno, that kills.</think>", None, ""),
        ("<think>I could\nAction: eat\nno.</think>\nThought: Up.\nAction: step n", "step n", "Up."),
        ("I could\nAction: eat\nno.</think>\nThought: Up.\nAction: step n", "step n", "Up."),
        ("<think>I could\nAction: eat\n", None, ""),
        ("Thought: <think>I could\nAction: eat</think>Up.\nAction: step n", "step n", "Up."),
        ("Up.\n<think>\nAction: eat\n</think>\nAction: step n", "step n", "Up."),
        ("Up.\n<think>\nAction: eat\n", None, "Up."),
        ("[THINK]Action: eat[/THINK]Action: step n", "step n", ""),
        (
            "<|channel|>analysis<|message|>Hm.\nAction: eat<|end|><|start|>assistant"
            "<|channel|>final<|message|>Action: step n",
            "step n",
            "",
        ),
        ("analysisLet me see.\nAction: eat\nassistantfinalUp.\nAction: step n", "step n", "Up."),
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


@pytest.mark.parametrize(
    ("action", "plain"),
    [
        ("step n.", "step n"),
        ('"Step  N"', "Step  N"),
        ('"step n."', "step n"),
        ("'step n'.", "step n"),
        ("\u201cstep n\u201d", "step n"),
        ("`step n`.", "step n"),
        ("step n\u3002", "step n"),
        ("step n!", "step n!"),
        ("step n, step ne", "step n, step ne"),
        ("step north.", "step north."),
        ('say "hi"', 'say "hi"'),
        ("wait.", "wait."),
        ("", ""),
        (None, None),
    ],
)
def test_punctuation_around_an_available_action_is_ignored(action: str | None, plain: str | None) -> None:
    assert plain_action(action, (*ACTIONS, 'say "hi"', "wait.")) == plain


def test_an_action_before_an_invented_turn_is_whole_although_the_reply_is_truncated() -> None:
    reply = Reply("Go.\nAction: step ne<|im_end|>\n<|im_start|>user\nYou", finish_reason="length")
    assert decide(reply)[0].action == "step ne"
    assert parse_reply(str(reply.text), truncated=True) == ("step ne", "Go.")


def test_reasoning_that_uses_up_the_tokens_is_truncated() -> None:
    for reply in (
        Reply("<think>I could\nAction: step n\nor", finish_reason="length"),
        Reply(body={"choices": [{"message": {"content": None, "reasoning": "Hm."}, "finish_reason": "length"}]}),
    ):
        with pytest.raises(ModelFailure, match="tokens of the reply are reasoning: raise max_tokens") as caught:
            decide(reply)
        assert caught.value.kind == "truncated"


def test_past_reasoning_is_not_shown_to_the_model() -> None:
    decision, _ = decide("<think>I could eat.</think>\nThought: North.\nAction: step n")
    assert decision.action is not None
    past = (step("A hall.", decision.action, decision.thought),)
    _, requests = decide("Action: step n", history=History(past, "A room.", ACTIONS, 25))
    assert requests[0]["messages"][2] == {"role": "assistant", "content": "Thought: North.\nAction: step n"}


def test_another_action_format_is_refused() -> None:
    model = OpenAIModel(ModelSpec(provider="openai", model="m", base_url="http://127.0.0.1:1/v1"))
    with pytest.raises(ConfigError, match="action_format 1 is not available"):
        ReActActor(model, action_format=1)


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
        ('```json\n{"thought": "Go.", "action": "step n"}\n```', False, ("step n", "Go.")),
        ('<think>{"action": "eat"}</think>{"thought": "Go.", "action": "step n"}', False, ("step n", "Go.")),
        ('{"thought": "a\\ud83d", "action": "b\\ud83d\\u0000"}', False, ("b\ufffd\ufffd", "a\ufffd")),
        ('{"thought": "<think>Or eat?</think>Go.", "action": "step n"}', False, ("step n", "Go.")),
        ('{"thought": "Go.", "action": "eat", "action": "step n"}', False, (None, None)),
        ('{"thought": "Go.", "action": ["step n"]}', False, (None, None)),
        ('{"thought": "Go.", "action": null}', False, (None, None)),
        ('{"thought": 3, "action": "step n"}', False, (None, None)),
        ("[" * 100_000, False, (None, None)),
        ('{"a":' * 100_000, False, (None, None)),
        ('{"thought": "Go.", "action": ' + "9" * 10_000 + "}", False, (None, None)),
    ],
)
def test_action_and_thought_are_parsed_from_a_json_reply(
    reply: str, truncated: bool, expected: tuple[str | None, str | None]
) -> None:
    action, thought = parse_json_reply(reply, truncated=truncated)
    assert (action, thought) == (expected[0], reply if expected[1] is None else expected[1])


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


PIECES = (
    *(
        "Action: ",
        "Action\uff1a",
        "Thought: ",
        "Observation: ",
        "User:",
        "eat",
        "step n",
        "\n",
        " ",
        "*",
        "`",
        ".",
        '"',
    ),
    *("<think>", "</think>", "[THINK]", "[/THINK]", "<|im_end|>", "<|im_start|>", "<|end|>", "<|start|>assistant"),
    *("<|channel|>analysis<|message|>", "<|channel|>final<|message|>", "assistantfinal", "{", "}", "[", "\ud83d", "\0"),
)
REPLIES = st.lists(st.sampled_from(PIECES) | st.text(max_size=3)).map("".join)


@given(REPLIES, st.booleans())
def test_any_text_can_be_parsed(text: str, truncated: bool) -> None:
    action, thought = parse_reply(text, truncated=truncated)
    assert action is None or (action and action in text)
    assert parse_json_reply(text, truncated=truncated)[0] is None
    if action is not None and "\n" not in action:
        shown = render_messages("", History((step("A room.", action, thought),), "", ACTIONS, 25))[2]["content"]
        assert parse_reply(shown)[0] == action


@given(REPLIES.filter(lambda text: "Action" not in text and "<" not in text), REPLIES)
def test_no_action_within_reasoning_is_executed(before: str, within: str) -> None:
    reasoning = within.replace("</think>", "").replace("[/THINK]", "")
    for text in (f"<think>{reasoning}\nAction: eat\n</think>{before}", f"<think>{reasoning}\nAction: eat\n"):
        assert parse_reply(text)[0] is None


@given(REPLIES, st.booleans())
@settings(max_examples=50)
def test_any_reply_gives_a_decision_or_a_failure(text: str, truncated: bool) -> None:
    class Says(ChatModel):
        capabilities = frozenset(ConstraintStyle)
        fingerprint = None

        async def complete(self, messages: Any, *, seed: int | None = None, constraint: Any = None) -> Completion:
            call = ToolCall(id="", name="act", arguments=text)
            calls = (call,) if constraint and constraint.style is ConstraintStyle.TOOLS else ()
            return Completion("" if calls else text, Usage(calls=1), "length" if truncated else "stop", calls)

        async def aclose(self) -> None:
            pass

    async def all_ways() -> set[str]:
        failures: set[str] = set()
        spec = ModelSpec(provider="says", model="")
        for decoding in ("free", "grammar", "json", "tools"):
            actor = ReActActor(ModelClient(Says(spec), UsageMeter()), decoding=decoding)
            try:
                decision = await actor.act("Play.", History((), "A room.", ACTIONS, 25), seed=1)
            except ModelFailure as failure:
                failures.add(failure.kind)
            else:
                assert decision.model_validate_json(decision.model_dump_json()) == decision
        return failures

    assert asyncio.run(all_ways()) <= {"empty", "truncated"}


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

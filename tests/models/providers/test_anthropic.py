from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from ictbench.errors import EndpointRefusedError, ModelFailure, TransientModelError, UsageError
from ictbench.models.chat_model import Constraint, ConstraintStyle
from ictbench.models.providers.anthropic import AnthropicModel
from ictbench.models.replies import finish_reply
from ictbench.records import UNREPORTED, ModelSpec, Usage
from ictbench.testing import Reply, ScriptedServer, obedient

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ictbench.models import Completion, Message

KEY = "sk-ant-quite-secret"
SYSTEM: Message = {"role": "system", "content": "You play."}
MESSAGES: list[Message] = [SYSTEM, {"role": "user", "content": "A door."}]
CACHE_MARK = {"cache_control": {"type": "ephemeral"}}
CONSTRAINT = Constraint(ConstraintStyle.JSON, ("wait", "open door"))


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_BASE_URL", "ANTHROPIC_CUSTOM_HEADERS"):
        monkeypatch.delenv(name, raising=False)


def spec_for(url: str | None = None, model: str = "claude-haiku-4-5", **fields: Any) -> ModelSpec:
    return ModelSpec(provider="anthropic", model=model, base_url=url, **fields)


def complete(spec: ModelSpec, messages: Sequence[Message] = MESSAGES, **arguments: Any) -> Completion:
    async def once() -> Completion:
        model = AnthropicModel(spec)
        try:
            return finish_reply(await model.complete(messages, **arguments), spec)
        finally:
            await model.aclose()

    return asyncio.run(once())


def sent(messages: Sequence[Message] = MESSAGES, constraint: Constraint | None = None, **fields: Any) -> dict[str, Any]:
    """Return the body of a request."""
    with ScriptedServer(obedient, record=True) as server:
        complete(spec_for(server.anthropic_url, **fields), messages, seed=3, constraint=constraint)
    return server.requests_log[0]


def read(reply: Reply) -> Completion:
    with ScriptedServer([reply]) as server:
        return complete(spec_for(server.anthropic_url))


def message(content: Any, stop_reason: str = "end_turn", **fields: Any) -> Reply:
    return Reply(body={"content": content, "stop_reason": stop_reason, **fields})


def user(text: str) -> Message:
    return {"role": "user", "content": text}


def assistant(text: str) -> Message:
    return {"role": "assistant", "content": text}


def test_a_completion_with_its_usage() -> None:
    with ScriptedServer(["Open the door."]) as server:
        completion = complete(spec_for(server.anthropic_url))
    assert (completion.text, completion.finish_reason) == ("Open the door.", "stop")
    assert completion.usage == Usage(calls=1, input_tokens=4, output_tokens=3, cost=None)


def test_input_tokens_include_cached_tokens_which_are_also_counted_separately() -> None:
    usage = {
        "input_tokens": 10,
        "cache_read_input_tokens": 80,
        "cache_creation_input_tokens": 20,
        "output_tokens": 50,
        "output_tokens_details": {"thinking_tokens": 40},
    }
    assert read(message([{"type": "text", "text": "x"}], usage=usage)).usage == Usage(
        calls=1,
        input_tokens=110,
        output_tokens=50,
        cached_tokens=80,
        cache_written_tokens=20,
        reasoning_tokens=40,
        cost=None,
    )


@pytest.mark.parametrize(
    "usage",
    [
        None,
        {},
        [],
        7,
        {"input_tokens": None, "output_tokens_details": None},
        {"input_tokens": 5},
        {"input_tokens": -5, "output_tokens": 1},
        {"input_tokens": 0, "output_tokens": 1},
        {"input_tokens": "5", "output_tokens": 1},
    ],
)
def test_usage_that_is_not_reported_or_odd_is_unknown(usage: Any) -> None:
    assert read(message([{"type": "text", "text": "x"}], usage=usage)).usage == UNREPORTED


def test_the_system_prompt_is_sent_in_its_own_field_with_a_cache_mark() -> None:
    assert sent(max_tokens=7) == {
        "model": "claude-haiku-4-5",
        "max_tokens": 7,
        "system": [{"type": "text", "text": "You play.", **CACHE_MARK}],
        "messages": [user("A door.")],
        "temperature": 0.0,
    }


def test_a_conversation_is_marked_for_the_cache_up_to_its_last_message_but_one() -> None:
    messages = [SYSTEM, user("one"), assistant("two"), user("three"), assistant("four"), user("five")]
    assert sent(messages)["messages"] == [
        *messages[1:4],
        {"role": "assistant", "content": [{"type": "text", "text": "four", **CACHE_MARK}]},
        user("five"),
    ]


def test_user_and_assistant_alternate_starting_with_the_user() -> None:
    opening, zero, merged = sent([assistant("zero"), user("one"), user("two")])["messages"]
    assert opening == user("(begin)")
    assert (zero["role"], zero["content"][0]["text"]) == ("assistant", "zero")
    assert merged == user("one\n\ntwo")
    assert sent([SYSTEM])["messages"] == [user("(begin)")]
    assert "system" not in sent([user("one")])


@pytest.mark.filterwarnings("ignore:The model .* is deprecated:DeprecationWarning")
@pytest.mark.parametrize(
    ("model", "sends_temperature"),
    [
        ("claude-3-5-haiku-latest", True),
        ("claude-sonnet-4-20250514", True),
        ("claude-opus-4-6", True),
        ("anthropic.claude-haiku-4-5-20251001-v1:0", True),
        ("kimi-k2", True),
        ("claude-opus-4-7", False),
        ("claude-opus-4-8@20260601", False),
        ("claude-sonnet-5", False),
        ("claude-haiku-5-5", False),
        ("claude-fable-5", False),
    ],
)
def test_the_temperature_is_sent_only_to_models_that_take_one(model: str, sends_temperature: bool) -> None:
    assert ("temperature" in sent(model=model)) is sends_temperature
    assert "temperature" not in sent(model=model, temperature=None)


def test_options_are_sent_unchanged() -> None:
    thinking = {"type": "enabled", "budget_tokens": 1024}
    assert sent(temperature=None, options={"thinking": thinking})["thinking"] == thinking


def test_a_constraint_becomes_a_forced_tool_whose_input_is_the_reply() -> None:
    body = sent(constraint=CONSTRAINT)
    assert body["tools"][0]["input_schema"] == CONSTRAINT.json_schema()
    assert body["tool_choice"] == {"type": "tool", "name": body["tools"][0]["name"], "disable_parallel_tool_use": True}
    with ScriptedServer(obedient) as server:
        completion = complete(spec_for(server.anthropic_url), constraint=CONSTRAINT)
    assert (completion.text, completion.finish_reason) == ('{"thought": "I obey.", "action": "wait"}', "stop")


def test_a_constraint_becomes_a_structured_output_if_tools_cannot_be_forced() -> None:
    body = sent(model="claude-sonnet-5-5", constraint=CONSTRAINT, options={"output_config": {"effort": "low"}})
    assert "tools" not in body
    assert body["output_config"]["effort"] == "low"
    assert body["output_config"]["format"]["type"] == "json_schema"
    schema = body["output_config"]["format"]["schema"]
    assert schema["properties"] == {
        "thought": {"type": "string"},
        "action": {"type": "string", "enum": ["wait", "open door"]},
    }
    assert schema["required"] == ["thought", "action"]


def test_thinking_is_not_part_of_the_text() -> None:
    blocks = [
        {"type": "thinking", "thinking": "Hm.", "signature": "x"},
        {"type": "redacted_thinking", "data": "x"},
        {"type": "text", "text": "Open "},
        {"type": "text", "text": "it."},
    ]
    assert read(message(blocks)).text == "Open it."


@pytest.mark.parametrize("reason", [{"type": "end_turn"}, ["max_tokens"], 3, None])
def test_a_stop_reason_may_have_any_type(reason: Any) -> None:
    assert read(message([{"type": "text", "text": "Go."}], reason)).text == "Go."


def test_an_error_with_status_200_is_worth_another_attempt() -> None:
    with pytest.raises(TransientModelError, match="HTTP 529: busy"):
        read(Reply(body={"type": "error", "error": {"type": "overloaded_error", "code": 529, "message": "busy"}}))


def test_counts_that_cannot_be_right_are_not_counted() -> None:
    usage = {"input_tokens": -1, "output_tokens": "7", "cache_read_input_tokens": None, "output_tokens_details": [1]}
    assert read(message([{"type": "text", "text": "Go."}], usage=usage)).usage == UNREPORTED
    assert read(message([{"type": "text", "text": "Go."}], usage=[1])).usage == UNREPORTED


def test_lone_surrogates_are_replaced() -> None:
    assert read(Reply(body='{"content": [{"type": "text", "text": "a\\ud83d"}]}')).text == "a\ufffd"


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (message([], "end_turn"), "empty"),
        (message(None, "end_turn"), "empty"),
        (message([{"type": "thinking", "thinking": "Hm."}]), "empty"),
        (message([], "refusal"), "refused"),
        (message([{"type": "text", "text": "I wo"}], "refusal"), "refused"),
        (message([{"type": "text", "text": "and"}], "model_context_window_exceeded"), "context_overflow"),
        (Reply("prompt is too long: 213462 tokens > 200000 maximum", status=400), "context_overflow"),
        (Reply("prompt is too long", status=413), "context_overflow"),
        (Reply("messages: roles must alternate", status=400), "bad_request"),
        (Reply("request exceeds 32 MB", status=413), "bad_request"),
    ],
)
def test_failures_caused_by_the_model_or_the_request(reply: Reply, kind: str) -> None:
    with pytest.raises(ModelFailure) as failure:
        read(reply)
    assert failure.value.kind == kind


def test_a_failure_has_the_usage_of_its_reply() -> None:
    with pytest.raises(ModelFailure) as failure:
        read(message([], "refusal", usage={"input_tokens": 3, "output_tokens": 1}))
    assert failure.value.usage == Usage(calls=1, input_tokens=3, output_tokens=1, cost=None)


@pytest.mark.parametrize("text", ["and so on and", ""])
def test_a_reply_cut_at_the_token_limit_is_returned_even_if_empty(text: str) -> None:
    completion = read(Reply(text, finish_reason="length"))
    assert (completion.text, completion.finish_reason) == (text, "length")


def test_unknown_stop_reasons_become_other() -> None:
    assert read(message([{"type": "text", "text": "x"}], "pause_turn")).finish_reason == "other"


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (Reply("slow down", status=429), "rate_limited"),
        (Reply("overloaded", status=529), "overloaded"),
        (Reply("down", status=500), "overloaded"),
        (Reply("conflict", status=409), "overloaded"),
        (Reply(delivery="drop"), "connection"),
        (Reply(body={"hello": 1}), "malformed"),
        (Reply(body=[]), "malformed"),
        (Reply(body={"content": [1]}), "malformed"),
        (Reply(body={"content": [{"type": "text"}]}), "malformed"),
    ],
)
def test_transient_errors(reply: Reply, kind: str) -> None:
    with pytest.raises(TransientModelError) as caught:
        read(reply)
    assert caught.value.kind == kind


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        (Reply("no such model", status=404), r"no such model \(check the model name 'claude-haiku-4-5'"),
        (Reply("no", status=403), "check that the key may use this model"),
        (Reply("Your credit balance is too low to access the API.", status=400), "check the account's balance"),
        (Reply("", status=302, headers={"Location": "http://127.0.0.1:1/"}), "check the base URL"),
    ],
)
def test_errors_that_stop_the_run_say_what_to_check(reply: Reply, message: str) -> None:
    with pytest.raises(EndpointRefusedError, match=message):
        read(reply)


def test_errors_and_repr_do_not_contain_the_api_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", f"{KEY}\n")
    with ScriptedServer([Reply(f"invalid key {KEY}", status=401), Reply(f"{KEY}?", status=500)]) as server:
        model = AnthropicModel(spec_for(server.anthropic_url))
        with pytest.raises(EndpointRefusedError, match="check ANTHROPIC_API_KEY") as refused:
            complete(model.spec)
        with pytest.raises(TransientModelError, match=r"\[key\]\?") as caught:
            complete(model.spec)
    assert KEY not in f"{refused.value} {caught.value} {model!r} {vars(model)!r}"


def test_a_missing_or_invalid_api_key_is_an_error_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="ANTHROPIC_API_KEY"):
        AnthropicModel(spec_for())
    with pytest.raises(UsageError, match="ANTHROPIC_API_KEY"):
        AnthropicModel(spec_for("https://api.anthropic.com/v1/"))
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-a\r\nb")
    with pytest.raises(UsageError, match="ANTHROPIC_API_KEY") as caught:
        AnthropicModel(spec_for())
    assert "sk-a" not in str(caught.value)


def test_the_base_url_of_the_spec_takes_precedence_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    with ScriptedServer(["theirs"]) as theirs, ScriptedServer(["mine"]) as mine:
        monkeypatch.setenv("ANTHROPIC_BASE_URL", theirs.anthropic_url)
        assert complete(spec_for()).text == "theirs"
        assert complete(spec_for(f"{mine.anthropic_url}/v1/")).text == "mine"


def test_the_fingerprint_is_the_model_name_in_the_reply() -> None:
    with ScriptedServer(["ok"], model="claude-haiku-4-5-20251001") as server:

        async def fingerprints() -> list[str | None]:
            model = AnthropicModel(spec_for(server.anthropic_url))
            before = model.fingerprint
            await model.complete(MESSAGES)
            await model.aclose()
            return [before, model.fingerprint]

        assert asyncio.run(fingerprints()) == [None, "claude-haiku-4-5-20251001"]


def test_headers_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_AUTH_TOKEN", "bearer-of-a-gateway\n")
    monkeypatch.setenv("ANTHROPIC_CUSTOM_HEADERS", "X-Team: a\n\nx-trace:1:2\n")
    headers = AnthropicModel(spec_for())._client._headers
    assert headers["Authorization"] == "Bearer bearer-of-a-gateway"
    assert (headers["X-Team"], headers["x-trace"]) == ("a", "1:2")
    assert "x-api-key" not in headers


@pytest.mark.parametrize("value", ["no header", "X Team: a", "X-Team: ä", ": a"])
def test_a_custom_header_that_cannot_be_sent_is_an_error(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("ANTHROPIC_CUSTOM_HEADERS", value)
    with pytest.raises(UsageError, match="ANTHROPIC_CUSTOM_HEADERS"):
        AnthropicModel(spec_for("http://127.0.0.1:1"))

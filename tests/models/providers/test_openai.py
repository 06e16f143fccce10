from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from ictbench.errors import EndpointRefusedError, ModelFailure, TransientModelError, UsageError
from ictbench.models.chat_model import Constraint, ConstraintStyle
from ictbench.models.providers.openai import OpenAIModel
from ictbench.models.providers.openai_messages import parse_message
from ictbench.models.replies import finish_reply
from ictbench.records import UNREPORTED, ModelSpec, Usage
from ictbench.testing import Latency, Reply, ScriptedServer, obedient

if TYPE_CHECKING:
    from ictbench.models import Completion, Message

MESSAGES: list[Message] = [{"role": "system", "content": "You play."}, {"role": "user", "content": "A door."}]
KEY = "sk-quite-secret"


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID"):
        monkeypatch.delenv(name, raising=False)


def spec_for(url: str | None = None, model: str = "scripted", **fields: Any) -> ModelSpec:
    return ModelSpec(provider="openai", model=model, base_url=url, **fields)


def complete(spec: ModelSpec, seed: int | None = None, constraint: Constraint | None = None) -> Completion:
    async def once() -> Completion:
        model = OpenAIModel(spec)
        try:
            return finish_reply(await model.complete(MESSAGES, seed=seed, constraint=constraint), spec)
        finally:
            await model.aclose()

    return asyncio.run(once())


def failure_kind(reply: Reply) -> str:
    with ScriptedServer([reply]) as server, pytest.raises(ModelFailure) as failure:
        complete(spec_for(server.url))
    return failure.value.kind


def message(content: Any, finish_reason: str | None = "stop", **fields: Any) -> Reply:
    return Reply(body={"choices": [{"message": {"content": content, **fields}, "finish_reason": finish_reason}]})


def test_a_completion_with_its_usage() -> None:
    with ScriptedServer(["Open the door."]) as server:
        completion = complete(spec_for(server.url))
    assert completion.text == "Open the door."
    assert completion.finish_reason == "stop"
    assert completion.usage == Usage(calls=1, input_tokens=4, output_tokens=3, cost=None)


def test_cached_and_reasoning_tokens_are_counted() -> None:
    usage = {
        "prompt_tokens": 100,
        "completion_tokens": 50,
        "prompt_tokens_details": {"cached_tokens": 80},
        "completion_tokens_details": {"reasoning_tokens": 40},
    }
    reply = Reply(body={"choices": [{"message": {"content": "x"}, "finish_reason": "stop"}], "usage": usage})
    with ScriptedServer([reply]) as server:
        assert complete(spec_for(server.url)).usage == Usage(
            calls=1, input_tokens=100, output_tokens=50, cached_tokens=80, reasoning_tokens=40, cost=None
        )


@pytest.mark.parametrize(
    "usage",
    [
        None,
        [],
        {},
        "12",
        {"prompt_tokens": None, "prompt_tokens_details": None},
        {"prompt_tokens": 5, "completion_tokens": None},
        {"prompt_tokens": 5},
        {"prompt_tokens": "5", "completion_tokens": "1"},
        {"prompt_tokens": -5, "completion_tokens": 1},
        {"prompt_tokens": 5, "completion_tokens": -1},
        {"prompt_tokens": 0, "completion_tokens": 1},
        {"prompt_tokens": True, "completion_tokens": True},
        {"prompt_tokens": 5.5, "completion_tokens": 1},
        {"prompt_tokens": 10**12, "completion_tokens": 1},
        {"prompt_tokens": [5], "completion_tokens": {"value": 1}},
    ],
)
def test_usage_that_is_not_reported_or_odd_is_unknown(usage: Any) -> None:
    reply = Reply(body={"choices": [{"message": {"content": "x"}}], "usage": usage})
    with ScriptedServer([reply]) as server:
        assert complete(spec_for(server.url)).usage == UNREPORTED


@pytest.mark.parametrize(
    ("usage", "counted"),
    [
        (
            {"prompt_tokens": 12.0, "completion_tokens": 3.0},
            Usage(calls=1, input_tokens=12, output_tokens=3, cost=None),
        ),
        # DeepSeek's own count of cached tokens.
        (
            {"prompt_tokens": 9, "completion_tokens": 1, "prompt_cache_hit_tokens": 8},
            Usage(calls=1, input_tokens=9, output_tokens=1, cached_tokens=8, cost=None),
        ),
        # xAI counts reasoning beside the completion, others within it.
        (
            {
                "prompt_tokens": 9,
                "completion_tokens": 1,
                "total_tokens": 30,
                "completion_tokens_details": {"reasoning_tokens": 20},
            },
            Usage(calls=1, input_tokens=9, output_tokens=21, reasoning_tokens=20, cost=None),
        ),
        # Details that contradict the counts are left out.
        (
            {"prompt_tokens": 9, "completion_tokens": 1, "prompt_tokens_details": {"cached_tokens": 10}},
            Usage(calls=1, input_tokens=9, output_tokens=1, cost=None),
        ),
        (
            {"prompt_tokens": 9, "completion_tokens": 1, "prompt_tokens_details": [], "completion_tokens_details": 3},
            Usage(calls=1, input_tokens=9, output_tokens=1, cost=None),
        ),
    ],
)
def test_usage_in_the_forms_that_servers_report_it(usage: Any, counted: Usage) -> None:
    reply = Reply(body={"choices": [{"message": {"content": "x"}}], "usage": usage})
    with ScriptedServer([reply]) as server:
        assert complete(spec_for(server.url)).usage == counted


def test_the_request_contains_sampling_parameters_that_are_set() -> None:
    with ScriptedServer(["ok"], record=True) as server:
        complete(spec_for(server.url, max_tokens=7), seed=3)
        complete(spec_for(server.url, temperature=None))
    assert server.requests_log == [
        {"model": "scripted", "messages": MESSAGES, "max_tokens": 7, "temperature": 0.0, "seed": 3},
        {"model": "scripted", "messages": MESSAGES, "max_tokens": 500},
    ]


def test_a_constraint_becomes_a_json_schema() -> None:
    constraint = Constraint(ConstraintStyle.JSON, ("wait", "open door"))
    with ScriptedServer(obedient, record=True) as server:
        completion = complete(spec_for(server.url), constraint=constraint)
    assert completion.text == '{"thought": "I obey.", "action": "wait"}'
    response_format = server.requests_log[0]["response_format"]
    assert response_format["type"] == "json_schema"
    json_schema = response_format["json_schema"]
    assert (json_schema["strict"], json_schema["schema"]) == (True, constraint.json_schema())


@pytest.mark.parametrize("name", ["o1", "o1-mini", "o3", "o3-mini", "o4-mini", "gpt-5", "gpt-5.1", "openai/gpt-5-mini"])
def test_reasoning_models_get_neither_temperature_nor_seed(name: str) -> None:
    with ScriptedServer(["ok"], record=True) as server:
        complete(spec_for(server.url, name), seed=3)
    assert server.requests_log == [{"model": name, "messages": MESSAGES, "max_completion_tokens": 500}]


@pytest.mark.parametrize("name", ["gpt-4o", "gpt-4.1-mini", "gpt-5-chat-latest", "gpt-oss-20b", "olmo-2", "Qwen/o10"])
def test_other_models_get_the_temperature(name: str) -> None:
    with ScriptedServer(["ok"], record=True) as server:
        complete(spec_for(server.url, name), seed=3)
    assert server.requests_log[0]["temperature"] == 0.0


def test_the_base_url_of_the_spec_takes_precedence_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    with ScriptedServer(["theirs"]) as theirs, ScriptedServer(["mine"]) as mine:
        monkeypatch.setenv("OPENAI_BASE_URL", theirs.url)
        assert complete(spec_for()).text == "theirs"
        assert complete(spec_for(mine.url + "/")).text == "mine"


def test_api_keys_are_sent_in_headers_and_shown_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", f"{KEY}\n")
    monkeypatch.setenv("OPENAI_ORG_ID", " org\n")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "project")
    with ScriptedServer([Reply(f"Incorrect API key provided: {KEY}", status=401)]) as server:
        model = OpenAIModel(spec_for(server.url))
        with pytest.raises(EndpointRefusedError, match="check OPENAI_API_KEY") as caught:
            complete(model.spec)
    assert KEY not in f"{caught.value} {caught.value!r} {model!r} {vars(model)!r}"
    headers = model._client._headers
    assert headers["Authorization"] == f"Bearer {KEY}"
    assert (headers["OpenAI-Organization"], headers["OpenAI-Project"]) == ("org", "project")


def test_a_missing_api_key_is_an_error_at_once() -> None:
    with pytest.raises(UsageError, match="OPENAI_API_KEY"):
        OpenAIModel(spec_for())


def test_without_an_api_key_no_authorization_header_is_sent() -> None:
    assert "Authorization" not in OpenAIModel(spec_for("http://127.0.0.1:1/v1"))._client._headers


def test_an_api_key_with_control_characters_is_an_error_that_does_not_show_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-a\r\nb")
    with pytest.raises(UsageError, match="OPENAI_API_KEY") as caught:
        OpenAIModel(spec_for())
    assert "sk-a" not in str(caught.value)


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ({"type": "stop"}, "stop"),
        ({"type": "length", "length": 9}, "length"),
        (["stop"], "other"),
        ({}, "other"),
        (3, "other"),
        ("LENGTH", "length"),
        ("model_length", "length"),
        ("MAX_TOKENS", "length"),
        ("abort", "other"),
    ],
)
def test_a_finish_reason_may_have_any_type(reason: Any, expected: str) -> None:
    with ScriptedServer([message("Open it.", reason)]) as server:
        assert complete(spec_for(server.url)).finish_reason == expected


@pytest.mark.parametrize(
    ("body", "kind", "text"),
    [
        ({"choices": None}, "malformed", "not a chat completion"),
        ({"choices": None, "error": {"code": 502, "message": "upstream"}}, "overloaded", "HTTP 502: upstream"),
        ({"error": {"code": "429", "message": "slow down"}}, "rate_limited", "HTTP 429: slow down"),
        ({"error": "it broke"}, "overloaded", "HTTP 200: it broke"),
        (
            {"choices": [{"error": {"code": 502, "message": "down"}, "finish_reason": "error", "message": {}}]},
            "overloaded",
            "HTTP 502: down",
        ),
        (
            {"choices": [{"message": {"content": "Open"}, "finish_reason": "error"}]},
            "overloaded",
            "finish_reason error",
        ),
        (
            {"choices": [{"message": {"content": "Open"}, "finish_reason": "network_error"}]},
            "overloaded",
            "network_error",
        ),
        ({"choices": [{"message": None, "finish_reason": "insufficient_system_resource"}]}, "overloaded", "resource"),
        ({"choices": [{"message": {"content": "", "error": {"code": 502, "message": "down"}}}]}, "overloaded", "down"),
        *(
            ({"choices": [{"message": {"content": "Open"}, "finish_reason": reason}]}, "overloaded", reason)
            for reason in ("engine_overloaded", "server_error", "failed", "timeout", "cancelled")
        ),
    ],
)
def test_an_error_within_a_reply_is_worth_another_attempt(body: Any, kind: str, text: str) -> None:
    with ScriptedServer([Reply(body=body)]) as server, pytest.raises(TransientModelError, match=text) as caught:
        complete(spec_for(server.url))
    assert caught.value.kind == kind


def test_an_error_of_the_request_within_a_reply_has_its_own_kind() -> None:
    overflow = {"code": 400, "message": "maximum context length"}
    assert failure_kind(Reply(body={"choices": [{"error": overflow, "message": None}]})) == "context_overflow"
    with (
        ScriptedServer([Reply(body={"error": {"code": 401, "message": "no"}})]) as server,
        pytest.raises(EndpointRefusedError, match="check OPENAI_API_KEY"),
    ):
        complete(spec_for(server.url))


def test_a_stream_of_events_is_malformed() -> None:
    events = 'data: {"choices": [{"delta": {"content": "Open"}}]}\n\ndata: [DONE]\n\n'
    with ScriptedServer([Reply(body=events)]) as server, pytest.raises(TransientModelError, match="not JSON: data:"):
        complete(spec_for(server.url))


@pytest.mark.parametrize(
    "fields",
    [
        {"reasoning_content": "Hm."},
        {"reasoning": "Hm."},
        {"thinking": "Hm."},
        {"reasoning": "Hm.", "reasoning_details": [{"type": "reasoning.text", "text": "Hm."}]},
        {"reasoning_details": [{"type": "reasoning.summary", "summary": "Hm."}, {"type": "reasoning.encrypted"}]},
    ],
)
def test_reasoning_in_a_field_of_its_own_is_no_part_of_the_text(fields: Any) -> None:
    with ScriptedServer([message("Open it.", **fields)]) as server:
        completion = complete(spec_for(server.url))
    assert (completion.text, completion.reasoning) == ("Open it.", "Hm.")


def test_reasoning_in_parts_is_no_part_of_the_text() -> None:
    parts = [
        {"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]},
        {"type": "reasoning", "text": "So."},
        {"type": "text", "text": "Open "},
        {"type": "output_text", "text": "it."},
    ]
    with ScriptedServer([message(parts)]) as server:
        completion = complete(spec_for(server.url))
    assert (completion.text, completion.reasoning) == ("Open it.", "Hm.\n\nSo.")


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning", "reasoning_details", "refusal", "tool_calls"])
@pytest.mark.parametrize("value", [None, [], {}, "", False])
def test_empty_fields_have_no_meaning(field: str, value: Any) -> None:
    with ScriptedServer([message("Open it.", **{field: value})]) as server:
        assert complete(spec_for(server.url)).text == "Open it."


def test_arguments_of_a_call_may_be_an_object() -> None:
    calls = [{"function": {"name": "act", "arguments": {"action": "très bien"}}}]
    with ScriptedServer([message(None, tool_calls=calls)]) as server:
        completion = complete(spec_for(server.url))
    assert completion.calls == ({"id": "", "name": "act", "arguments": '{"action": "très bien"}'},)


def test_counts_that_cannot_be_right_are_not_counted() -> None:
    for usage in (
        {"prompt_tokens": -18, "completion_tokens": True, "total_tokens": "9"},
        {"prompt_tokens": 1.5, "completion_tokens": 10**30, "prompt_tokens_details": {"cached_tokens": 3}},
    ):
        reply = Reply(body={"choices": [{"message": {"content": "x"}}], "usage": usage})
        with ScriptedServer([reply]) as server:
            assert complete(spec_for(server.url)).usage == UNREPORTED


def test_reasoning_outside_the_completion_tokens_is_part_of_the_output() -> None:
    usage = {
        "prompt_tokens": 30,
        "completion_tokens": 50,
        "total_tokens": 280,
        "completion_tokens_details": {"reasoning_tokens": 200},
    }
    reply = Reply(body={"choices": [{"message": {"content": "x"}}], "usage": usage})
    with ScriptedServer([reply]) as server:
        counted = complete(spec_for(server.url)).usage
    assert (counted.input_tokens, counted.output_tokens, counted.reasoning_tokens) == (30, 250, 200)


def test_the_fingerprint_can_be_stored_whatever_the_server_sends() -> None:
    body = {
        "model": "m\ud83d" + "x" * 10**6,
        "system_fingerprint": {"a": 1},
        "choices": [{"message": {"content": "x"}}],
    }

    async def fingerprint(url: str) -> str | None:
        model = OpenAIModel(spec_for(url))
        await model.complete(MESSAGES)
        await model.aclose()
        return model.fingerprint

    with ScriptedServer([Reply(body=body)]) as server:
        assert asyncio.run(fingerprint(server.url)) == "m\ufffd" + "x" * 198


@pytest.mark.parametrize("content", [None, "", " \n", []])
def test_a_reply_without_text_is_a_failure(content: Any) -> None:
    assert failure_kind(message(content)) == "empty"


@pytest.mark.parametrize(
    "reply",
    [message("I wo", "content_filter"), message(None, refusal="I will not."), message("", None, refusal="No.")],
)
def test_a_refusal_is_a_failure(reply: Reply) -> None:
    assert failure_kind(reply) == "refused"


@pytest.mark.parametrize("content", ["and so on and", "", None])
def test_a_reply_cut_at_the_token_limit_is_returned_even_if_empty(content: str | None) -> None:
    with ScriptedServer([message(content, "length")]) as server:
        completion = complete(spec_for(server.url))
    assert (completion.text, completion.finish_reason) == (content or "", "length")


def test_unknown_finish_reasons_become_other() -> None:
    with ScriptedServer([message("x", "eos"), message("x", None)]) as server:
        assert complete(spec_for(server.url)).finish_reason == "other"
        assert complete(spec_for(server.url)).finish_reason == "other"


def test_only_text_parts_of_a_reply_are_read() -> None:
    parts = [{"type": "thinking", "thinking": []}, {"type": "text", "text": "Open "}, {"type": "text", "text": "it."}]
    with ScriptedServer([message(parts)]) as server:
        assert complete(spec_for(server.url)).text == "Open it."


def test_lone_surrogates_are_replaced() -> None:
    with ScriptedServer([Reply(body='{"choices": [{"message": {"content": "a\\ud83d"}}]}')]) as server:
        assert complete(spec_for(server.url)).text == "a\ufffd"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"choices": []},
        {"choices": None},
        {"choices": {"a": 1}},
        {"choices": [{}]},
        {"choices": [1]},
        {"choices": [{"message": None}]},
    ],
)
def test_a_malformed_reply_is_a_transient_error(body: Any) -> None:
    with ScriptedServer([Reply(body=body)]) as server, pytest.raises(TransientModelError) as caught:
        complete(spec_for(server.url))
    assert caught.value.kind == "malformed"


def test_an_unknown_model_stops_the_run() -> None:
    message = r"no such model \(check the model name 'scripted'"
    with (
        ScriptedServer([Reply("no such model", status=404)]) as server,
        pytest.raises(EndpointRefusedError, match=message),
    ):
        complete(spec_for(server.url))


def test_the_fingerprint_contains_model_name_and_system_fingerprint() -> None:
    with ScriptedServer(["ok", message("ok")]) as server:

        async def read_fingerprints() -> list[str | None]:
            model = OpenAIModel(spec_for(server.url))
            fingerprints = [model.fingerprint]
            for _ in range(2):
                await model.complete(MESSAGES)
                fingerprints.append(model.fingerprint)
            await model.aclose()
            return fingerprints

        assert asyncio.run(read_fingerprints()) == [None, "scripted@scripted", "scripted@scripted"]


def test_many_requests_are_in_flight_at_once() -> None:
    with ScriptedServer(["ok"], latency=Latency.constant(0.3)) as server:

        async def gather() -> None:
            model = OpenAIModel(spec_for(server.url))
            await asyncio.gather(*(model.complete(MESSAGES) for _ in range(150)))
            await model.aclose()

        asyncio.run(gather())
        assert server.max_in_flight > 100


def rejected(**fields: Any) -> Reply:
    return Reply(status=400, body={"error": {"message": "Failed to call a function.", **fields}})


def test_a_reply_without_a_forced_call_is_a_reply_where_the_server_reports_it_as_an_error() -> None:
    with ScriptedServer([rejected(code="tool_use_failed", failed_generation="I open the door.")]) as server:
        completion = complete(spec_for(server.url))
    assert (completion.text, completion.calls, completion.usage) == ("I open the door.", (), UNREPORTED)


@pytest.mark.parametrize(
    "fields",
    [
        {"code": "tool_use_failed"},
        {"code": "tool_use_failed", "failed_generation": None},
        {"code": "tool_use_failed", "failed_generation": [1]},
        {"code": "other", "failed_generation": "I open the door."},
        {"code": ["tool_use_failed"], "failed_generation": "I open the door."},
    ],
)
def test_other_errors_contain_no_reply(fields: dict[str, Any]) -> None:
    assert failure_kind(rejected(**fields)) == "bad_request"


@pytest.mark.parametrize("reason", ["max_output_tokens", "token_limit", "incomplete", "MAX_TOKENS"])
def test_other_names_of_a_reply_cut_at_the_token_limit(reason: str) -> None:
    with ScriptedServer([message("Action: step n", reason)]) as server:
        assert complete(spec_for(server.url)).finish_reason == "length"


@pytest.mark.parametrize("reason", ["refusal", "RECITATION", "PROHIBITED_CONTENT", "guardrail_intervened", "blocked"])
def test_other_names_of_a_refused_reply(reason: str) -> None:
    with ScriptedServer([message("I", reason)]) as server, pytest.raises(ModelFailure) as raised:
        complete(spec_for(server.url))
    assert raised.value.kind == "refused"


def test_parts_of_a_content_that_are_no_answer() -> None:
    thought = [{"type": "text", "thought": True, "text": "Action: zap"}, {"type": "text", "text": "Action: eat"}]
    with ScriptedServer([message(thought, "stop")]) as server:
        completion = complete(spec_for(server.url))
    assert (completion.text, completion.reasoning) == ("Action: eat", "Action: zap")
    refused = message([{"type": "refusal", "refusal": "No."}], "stop")
    with ScriptedServer([refused]) as server, pytest.raises(ModelFailure) as raised:
        complete(spec_for(server.url))
    assert (raised.value.kind, str(raised.value)) == ("refused", "refused: No.")


def test_many_parts_are_read_in_linear_time() -> None:
    parts = [{"type": "text", "thought": True, "text": f"{number}"} for number in range(40_000)]
    parts += [{"type": "text", "text": "a"}] * 40_000
    parsed = parse_message({"content": parts})
    assert (len(parsed.text), parsed.reasoning.count("\n\n")) == (40_000, 39_999)


def test_a_function_call_is_a_call() -> None:
    reply = message(None, "function_call", function_call={"name": "act", "arguments": '{"action": "eat"}'})
    with ScriptedServer([reply]) as server:
        (call,) = complete(spec_for(server.url)).calls
    assert (call["name"], call["arguments"]) == ("act", '{"action": "eat"}')


def test_any_status_of_success_brings_a_reply() -> None:
    choice = {"index": 0, "message": {"role": "assistant", "content": "Open"}, "finish_reason": "stop"}
    with ScriptedServer([Reply(body={"choices": [choice]}, status=201)]) as server:
        assert complete(spec_for(server.url)).text == "Open"


def test_no_output_tokens_for_a_reply_that_says_something_is_no_count() -> None:
    usage = {"prompt_tokens": 9, "completion_tokens": 0, "total_tokens": 9}
    with ScriptedServer([message("Open", "stop", usage=usage)]) as server:
        assert complete(spec_for(server.url)).usage.unreported == 1

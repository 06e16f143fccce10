from __future__ import annotations

import asyncio
import logging
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from own_addresses import serve_as

from ictbench.errors import EndpointRefusedError, MissingExtraError, ModelFailure, TransientModelError, UsageError
from ictbench.models.chat_model import Constraint, ConstraintStyle
from ictbench.models.providers import litellm as adapter
from ictbench.models.providers.litellm import LiteLLMModel
from ictbench.models.replies import finish_reply
from ictbench.records import UNREPORTED, ModelSpec, Usage
from ictbench.testing import Latency, Reply, ScriptedServer, obedient

if TYPE_CHECKING:
    from ictbench.models import Completion, Message

KEY = "sk-lite-quite-secret"
MESSAGES: list[Message] = [{"role": "system", "content": "You play."}, {"role": "user", "content": "A door."}]
FILTERED = {"message": "no", "code": "content_policy_violation", "type": "invalid_request_error", "param": None}
CONSTRAINT = Constraint(ConstraintStyle.JSON, ("wait", "open door"))


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(("OPENAI_", "ANTHROPIC_", "MISTRAL_"))]:
        monkeypatch.delenv(name)


def spec_for(url: str | None = None, model: str = "openai/scripted", **fields: Any) -> ModelSpec:
    return ModelSpec(provider="litellm", model=model, base_url=url, **fields)


def complete(spec: ModelSpec, **arguments: Any) -> Completion:
    async def once() -> Completion:
        model = LiteLLMModel(spec)
        try:
            return finish_reply(await model.complete(MESSAGES, **arguments), spec)
        finally:
            await model.aclose()

    return asyncio.run(once())


def read(reply: Reply | str) -> Completion:
    with ScriptedServer([reply]) as server:
        return complete(spec_for(server.url))


def test_a_completion_with_its_usage() -> None:
    with ScriptedServer(["Open the door."], record=True) as server:
        completion = complete(spec_for(server.url, max_tokens=7), seed=3)
    assert (completion.text, completion.finish_reason) == ("Open the door.", "stop")
    assert completion.usage == Usage(calls=1, input_tokens=4, output_tokens=3, cost=None)
    assert server.requests_log == [
        {"model": "scripted", "messages": MESSAGES, "max_tokens": 7, "temperature": 0.0, "seed": 3}
    ]


def test_requests_use_the_providers_own_format() -> None:
    with ScriptedServer(["Open the door."], record=True) as server:
        completion = complete(spec_for(server.anthropic_url, "anthropic/scripted"))
    assert completion.text == "Open the door."
    assert server.requests_log[0]["system"][0]["text"] == "You play."


def test_cached_and_reasoning_tokens_are_counted() -> None:
    usage = {
        "prompt_tokens": 100,
        "completion_tokens": 50,
        "total_tokens": 150,
        "prompt_tokens_details": {"cached_tokens": 80},
        "completion_tokens_details": {"reasoning_tokens": 40},
    }
    choice = {"index": 0, "message": {"role": "assistant", "content": "x"}, "finish_reason": "stop"}
    assert read(Reply(body={"id": "1", "model": "scripted", "choices": [choice], "usage": usage})).usage == Usage(
        calls=1, input_tokens=100, output_tokens=50, cached_tokens=80, reasoning_tokens=40, cost=None
    )


def test_the_cost_is_none_if_the_price_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    with ScriptedServer(["Open the door."], model="gpt-4o-mini") as server:
        monkeypatch.setenv("OPENAI_API_KEY", KEY)
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        # The price at a gateway, or on a server of your own, is unknown, whatever its model is called.
        assert complete(spec_for(None, "openai/gpt-4o-mini")).usage.cost is None
        serve_as("openai", server.url, monkeypatch)
        known = complete(spec_for(None, "openai/gpt-4o-mini")).usage.cost
        assert known is not None
        assert 0 < known < 0.001
    with ScriptedServer(["Open the door."], model="unknown-model") as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        assert complete(spec_for(None, "openai/unknown-model")).usage.cost is None


@pytest.mark.parametrize("usage", [None, {}, {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}])
def test_usage_that_is_not_reported_is_unknown_and_has_no_cost(usage: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    choice = {"index": 0, "message": {"role": "assistant", "content": "x"}, "finish_reason": "stop"}
    reply = Reply(body={"id": "1", "model": "gpt-4o-mini", "choices": [choice], "usage": usage})
    with ScriptedServer([reply]) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        assert complete(spec_for(None, "openai/gpt-4o-mini")).usage == UNREPORTED


def test_a_constraint_is_imposed_if_the_provider_supports_it() -> None:
    with ScriptedServer(obedient, record=True) as server:
        completion = complete(spec_for(server.url), constraint=CONSTRAINT)
    assert completion.text == '{"thought": "I obey.", "action": "wait"}'
    assert server.requests_log[0]["response_format"]["json_schema"]["schema"] == CONSTRAINT.json_schema()
    assert LiteLLMModel(spec_for("http://127.0.0.1:1")).capabilities == {ConstraintStyle.JSON, ConstraintStyle.TOOLS}
    without_constraints = spec_for("http://127.0.0.1:1", "petals/petals-team/StableBeluga2")
    assert LiteLLMModel(without_constraints).capabilities == frozenset()


def test_parameters_that_a_model_rejects_are_not_sent() -> None:
    with ScriptedServer(["ok"], record=True) as server:
        complete(spec_for(server.url, "openai/o3"), seed=3)
    assert "temperature" not in server.requests_log[0]
    assert server.requests_log[0]["max_completion_tokens"] == 500


def test_options_are_passed_to_litellm() -> None:
    with ScriptedServer(["ok"], record=True) as server:
        complete(spec_for(server.url, options={"top_p": 0.5}))
    assert server.requests_log[0]["top_p"] == 0.5


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (Reply("", finish_reason="stop"), "empty"),
        (Reply("I wo", finish_reason="content_filter"), "refused"),
        (Reply("unknown role", status=400), "bad_request"),
        (Reply("This model's maximum context length is 8192 tokens.", status=400), "context_overflow"),
        (Reply(status=400, body={"error": FILTERED}), "refused"),
    ],
)
def test_failures_caused_by_the_model_or_the_request(reply: Reply, kind: str) -> None:
    with pytest.raises(ModelFailure) as failure:
        read(reply)
    assert failure.value.kind == kind


@pytest.mark.parametrize("text", ["and so on and", ""])
def test_a_reply_cut_at_the_token_limit_is_returned_even_if_empty(text: str) -> None:
    completion = read(Reply(text, finish_reason="length"))
    assert (completion.text, completion.finish_reason) == (text, "length")


def test_a_transient_error_has_the_servers_retry_after() -> None:
    with pytest.raises(TransientModelError) as caught:
        read(Reply("slow down", status=429, headers={"Retry-After": "7"}))
    assert (caught.value.kind, caught.value.retry_after) == ("rate_limited", 7.0)


def test_a_refused_connection_is_a_connection_error() -> None:
    with pytest.raises(TransientModelError) as caught:
        complete(spec_for("http://127.0.0.1:1/v1"))
    assert caught.value.kind == "connection"


def test_a_timeout_does_not_affect_the_next_request() -> None:
    with ScriptedServer(["late"], latency=Latency.constant(30)) as server:

        async def time_out() -> None:
            model = LiteLLMModel(spec_for(server.url, timeout=0.05))
            with pytest.raises(TransientModelError, match=r"no answer within 0.05 s"):
                await model.complete(MESSAGES)
            await model.aclose()

        asyncio.run(time_out())
    assert read("ok").text == "ok"


def test_a_missing_api_key_or_an_unknown_provider_is_an_error_at_once() -> None:
    with pytest.raises(UsageError, match="set MISTRAL_API_KEY"):
        LiteLLMModel(spec_for(None, "mistral/mistral-small"))
    with pytest.raises(UsageError, match="litellm does not know the provider of 'nonsense/model'"):
        LiteLLMModel(spec_for(None, "nonsense/model"))


def test_errors_and_repr_do_not_contain_api_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with ScriptedServer([Reply(f"Incorrect API key provided: {KEY}", status=401)]) as server:
        model = LiteLLMModel(spec_for(server.url))
        with pytest.raises(EndpointRefusedError, match=r"\[key\].*check the provider's key") as caught:
            complete(model.spec)
    assert KEY not in f"{caught.value} {model!r} {vars(model)!r}"


def test_closing_one_model_leaves_the_others_open() -> None:
    with ScriptedServer(["ok"]) as server:

        async def two() -> str:
            first, second = LiteLLMModel(spec_for(server.url)), LiteLLMModel(spec_for(server.url))
            await first.complete(MESSAGES)
            await first.aclose()
            await first.aclose()
            text = (await second.complete(MESSAGES)).text
            await second.aclose()
            return text

        assert asyncio.run(two()) == "ok"


def test_litellm_prints_nothing_and_sends_no_telemetry(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(EndpointRefusedError):
        read(Reply("no", status=404))
    assert capfd.readouterr() == ("", "")
    assert logging.getLogger("LiteLLM").level > logging.CRITICAL
    assert os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] == "True"
    assert adapter._import_litellm("x").telemetry is False


def test_litellm_is_imported_only_when_used() -> None:
    program = "import sys, ictbench.models, ictbench.models.providers.litellm; sys.exit('litellm' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_the_error_for_missing_litellm_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    adapter._import_litellm.cache_clear()
    monkeypatch.setitem(sys.modules, "litellm", None)
    with pytest.raises(MissingExtraError, match=r"ictbench\[litellm\]"):
        LiteLLMModel(spec_for("http://127.0.0.1:1"))


def chat(choice: dict[str, Any], **fields: Any) -> Reply:
    body = {"id": "1", "model": "m", "choices": [{"index": 0, "finish_reason": "stop", **choice}], **fields}
    return Reply(body=body)


SAID = {"message": {"role": "assistant", "content": "Action: eat"}}
UPSTREAM = {"code": 502, "message": "upstream died"}


@pytest.mark.parametrize(
    "reply",
    [
        chat({**SAID, "finish_reason": "error", "error": UPSTREAM}),
        chat({**SAID, "error": UPSTREAM}),
        chat({"message": {**SAID["message"], "error": UPSTREAM}}),
        chat({**SAID, "finish_reason": "engine_overloaded"}),
        chat(SAID, error=UPSTREAM),
        Reply(body={"error": UPSTREAM}),
        Reply(body={"error": "upstream died"}),
        Reply(body={"error": {"code": "server_error", "message": "upstream died"}}),
        chat({"message": None}),
    ],
)
def test_an_error_in_a_reply_with_status_200_is_worth_another_attempt(reply: Reply) -> None:
    with pytest.raises(TransientModelError) as raised:
        read(reply)
    assert "Traceback" not in str(raised.value)


def test_a_refusal_is_no_empty_reply() -> None:
    with pytest.raises(ModelFailure) as raised:
        read(chat({"message": {"role": "assistant", "content": None, "refusal": "I will not."}}))
    assert (raised.value.kind, str(raised.value)) == ("refused", "refused: I will not.")


@pytest.mark.parametrize(
    "usage",
    [{"prompt_tokens": 100}, {"completion_tokens": 5}, {"prompt_tokens": 100, "completion_tokens": 0}],
)
def test_a_missing_count_is_not_zero(usage: dict[str, int]) -> None:
    assert read(chat(SAID, usage=usage)).usage.unreported == 1


def test_anthropics_counts_are_those_of_the_server() -> None:
    usage = {"input_tokens": 10, "output_tokens": 3, "cache_read_input_tokens": -5, "cache_creation_input_tokens": 4}
    content = [{"type": "text", "text": "Action: eat"}]
    body = {"id": "1", "type": "message", "role": "assistant", "model": "m", "content": content, "usage": usage}
    with ScriptedServer([Reply(body={**body, "stop_reason": "end_turn"})]) as server:
        counted = complete(spec_for(server.anthropic_url, "anthropic/scripted")).usage
    assert (counted.input_tokens, counted.cached_tokens, counted.cache_written_tokens) == (14, 0, 4)


@pytest.mark.parametrize("model", ["openai/m", "anthropic/m"])
@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_no_redirect_is_followed(model: str, status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"{model.partition('/')[0].upper()}_API_KEY", KEY)
    with ScriptedServer(["Action: eat"], record=True) as other:
        moved = Reply("", status=status, headers={"Location": f"{other.url}/chat/completions"})
        with ScriptedServer([moved]) as server:
            url = server.anthropic_url if model.startswith("anthropic") else server.url
            with pytest.raises(EndpointRefusedError, match=f"HTTP {status}.*check the base URL"):
                complete(spec_for(url, model))
        assert other.requests == 0


def test_a_key_that_a_server_repeats_is_not_in_the_reply(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    assert read(f"Your key is {KEY}.").text == "Your key is [key]."


def test_a_reply_of_too_many_parts_is_refused_before_litellm_reads_it() -> None:
    parts = [{"type": "text", "text": "x"}] * 60_000
    with pytest.raises(TransientModelError, match="the reply has more than 50,000 parts"):
        read(chat({"message": {"role": "assistant", "content": parts}}))

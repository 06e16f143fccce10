"""Options and sampling of a model: each reaches the model, or is refused."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from ictbench.errors import ConfigError
from ictbench.models import ModelPool
from ictbench.models.model_options import RESERVED
from ictbench.records import ModelSpec
from ictbench.testing import ScriptedServer

if TYPE_CHECKING:
    from ictbench.models import Message

MESSAGES: list[Message] = [{"role": "user", "content": "A door."}]
SAMPLED = {"temperature": 0.5, "top_p": 0.9, "reasoning_effort": "low", "stop": ("Observation:", "\n\n")}
ALWAYS_SENT: dict[str, dict[str, Any]] = {"vllm": {"skip_special_tokens": False}}
"""Parameters that a provider adds by itself."""

SENT = {"temperature": 0.5, "top_p": 0.9, "reasoning_effort": "low", "stop": ["Observation:", "\n\n"]}
EFFORT = {"effort": "low"}
BASICS = {"model", "messages", "max_tokens", "system", "tools", "tool_choice", "seed"}


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_BASE_URL", "ANTHROPIC_BASE_URL", "VLLM_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY"):
        monkeypatch.setenv(name, "sk-of-a-test")


def sent(provider: str, model: str, **fields: Any) -> dict[str, Any]:
    """Return what a request carries besides the basics."""

    async def ask(url: str) -> None:
        pool = ModelPool()
        await pool.open(ModelSpec(provider=provider, model=model, base_url=url, **fields)).complete(MESSAGES, seed=3)
        await pool.aclose()

    with ScriptedServer(["ok"], record=True) as server:
        asyncio.run(ask(server.anthropic_url if "anthropic" in f"{provider}/{model}" else server.url))
    return {name: value for name, value in server.requests_log[0].items() if name not in BASICS}


def refusal(provider: str, model: str, **fields: Any) -> str:
    """Return why a spec is refused."""
    with pytest.raises(ConfigError) as caught:
        ModelPool().open(ModelSpec(provider=provider, model=model, base_url="http://127.0.0.1:1/v1", **fields))
    return str(caught.value)


@pytest.mark.parametrize(
    ("provider", "model", "unsent", "expected"),
    [
        ("openai", "m", (), SENT),
        ("vllm", "m", (), {**SENT, **ALWAYS_SENT["vllm"]}),
        ("llama-cpp", "m", ("reasoning_effort",), {**SENT, "reasoning_effort": None}),
        ("litellm", "openai/m", (), SENT),
        (
            "anthropic",
            "claude-haiku-4-5",
            (),
            {"temperature": 0.5, "top_p": 0.9, "stop_sequences": ["Observation:", "\n\n"], "output_config": EFFORT},
        ),
        (
            "anthropic",
            "claude-sonnet-5",
            ("temperature",),
            {"top_p": 0.9, "stop_sequences": ["Observation:", "\n\n"], "output_config": EFFORT},
        ),
        (
            "openai",
            "o3",
            ("temperature",),
            {**SENT, "temperature": None, "max_completion_tokens": 500},
        ),
    ],
)
def test_sampling_reaches_the_server_under_the_names_of_its_api(
    provider: str, model: str, unsent: tuple[str, ...], expected: dict[str, Any]
) -> None:
    fields = {name: value for name, value in SAMPLED.items() if name not in unsent}
    wanted = {name: value for name, value in expected.items() if value is not None}
    assert sent(provider, model, **fields) == wanted


@pytest.mark.parametrize(
    ("provider", "model"), [("openai", "m"), ("vllm", "m"), ("litellm", "openai/m"), ("anthropic", "claude-haiku-4-5")]
)
def test_nothing_is_sent_that_is_not_set(provider: str, model: str) -> None:
    assert sent(provider, model) == {"temperature": 0.0, **ALWAYS_SENT.get(provider, {})}


@pytest.mark.parametrize(
    ("provider", "model", "options", "expected"),
    [
        ("openai", "m", {"top_k": 20, "chat_template_kwargs": {"thinking": False}}, None),
        ("openai", "m", {"top_p": 0.9, "reasoning_effort": "low"}, None),
        ("openai", "m", {"extra_body": {"top_k": 20}}, {"top_k": 20}),
        ("vllm", "m", {"extra_body": {"top_k": 20}}, {"top_k": 20}),
        ("llama-cpp", "m", {"extra_body": {"min_p": 0.1}}, {"min_p": 0.1}),
        ("litellm", "openai/m", {"top_p": 0.9}, None),
        ("anthropic", "claude-haiku-4-5", {"top_k": 20, "thinking": {"type": "disabled"}}, None),
    ],
)
def test_options_are_parameters_of_each_request(
    provider: str, model: str, options: dict[str, Any], expected: dict[str, Any] | None
) -> None:
    always = {"temperature": 0.0, **ALWAYS_SENT.get(provider, {})}
    assert sent(provider, model, options=options) == {**always, **(expected or options)}


@pytest.mark.parametrize("provider", ["openai", "anthropic", "litellm", "vllm", "llama-cpp"])
@pytest.mark.parametrize("name", RESERVED)
def test_what_ictbench_sets_cannot_be_an_option(provider: str, name: str) -> None:
    options = {"extra_body": {name: 1}} if provider in ("vllm", "llama-cpp") else {name: 1}
    assert refusal(provider, "openai/m", options=options).endswith(
        f"{name!r} cannot be a model option: {RESERVED[name]}"
    )


@pytest.mark.parametrize(
    "name", ["api_key", "aws_secret_access_key", "extra_headers", "azure_ad_token", "Authorization"]
)
def test_a_secret_cannot_be_an_option(name: str) -> None:
    assert f"{name!r} cannot be a model option, as options are stored" in refusal("openai", "m", options={name: "sk-1"})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"top_p": 0.9}, "'top_p' is given twice"),
        ({"extra_body": [1]}, "option 'extra_body' is [1], not a mapping"),
        ({"top_k": 1, "extra_body": {"top_k": 2}}, "option 'top_k' is given twice"),
    ],
)
def test_contradictory_options_are_refused(options: dict[str, Any], message: str) -> None:
    assert message in refusal("openai", "m", options=options, top_p=0.5)


@pytest.mark.parametrize(
    ("provider", "model", "name", "value"),
    [
        ("llama-cpp", "m", "reasoning_effort", "low"),
        ("litellm", "openai/o3", "top_p", 0.9),
        ("litellm", "openai/gpt-4o", "reasoning_effort", "low"),
        ("litellm", "openai/gpt-5", "stop", ("x",)),
        ("tests.models.test_model_options:Deaf", "", "top_p", 0.9),
        ("tests.models.test_model_options:Deaf", "", "stop", ("x",)),
    ],
)
def test_sampling_that_requests_cannot_carry_is_refused(provider: str, model: str, name: str, value: Any) -> None:
    message = refusal(provider, model, **{name: value})
    assert f"takes no {name}; remove --actor-{name.replace('_', '-')}" in message


def test_an_option_that_litellm_would_drop_is_refused() -> None:
    assert "litellm cannot send the option 'reasoning_effort' to this model" in refusal(
        "litellm", "openai/gpt-4o", options={"reasoning_effort": "low"}
    )


@pytest.mark.parametrize("options", [{"format": {}}, {"effort": "low"}])
def test_an_output_config_of_ones_own_leaves_ours_alone(options: dict[str, Any]) -> None:
    message = refusal("anthropic", "claude-sonnet-5", options={"output_config": options}, reasoning_effort="high")
    assert "option 'output_config' must be a mapping without `format`" in message


class Deaf:
    """Takes no spec."""

    def complete(self, messages: list[Message]) -> str:
        return "Hello."


class Listening(Deaf):
    def __init__(self, spec: ModelSpec) -> None:
        self.spec = spec


def test_a_class_of_ones_own_gets_sampling_and_options_in_its_spec_or_refuses_them() -> None:
    fields: dict[str, Any] = {"model": "", "options": {"depth": 3}, "top_p": 0.9}
    ModelPool().open(ModelSpec(provider="tests.models.test_model_options:Listening", **fields))
    with pytest.raises(ConfigError, match=r"takes no model options \(depth\): its constructor has no parameter `spec`"):
        ModelPool().open(ModelSpec(provider="tests.models.test_model_options:Deaf", **fields))


def test_a_spec_without_new_fields_is_written_as_before() -> None:
    assert ModelSpec(provider="openai", model="m").model_dump(mode="json") == {
        "provider": "openai",
        "model": "m",
        "base_url": None,
        "temperature": 0.0,
        "max_tokens": 500,
        "timeout": 120.0,
        "options": {},
    }
    sampled = ModelSpec(provider="openai", model="m", **SAMPLED)
    assert ModelSpec.model_validate_json(sampled.model_dump_json()) == sampled

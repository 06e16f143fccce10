from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from ictbench.errors import ModelFailure
from ictbench.models.chat_model import ChatModel, Completion, Constraint, ConstraintStyle
from ictbench.models.providers.anthropic import AnthropicModel
from ictbench.models.providers.litellm import LiteLLMModel
from ictbench.models.providers.openai import OpenAIModel
from ictbench.records import ModelSpec, Usage
from ictbench.testing import Fault, ScriptedServer, check_failures, check_model, obedient

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ictbench.models.chat_model import Message
    from ictbench.testing.wire_formats import WireName

KEY = "sk-conformance-secret"


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_BASE_URL", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "ANTHROPIC_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY"):
        monkeypatch.setenv(name, KEY)


# litellm cannot parse Anthropic's `content: null`.
ADAPTERS: dict[str, tuple[type[ChatModel], str, WireName, Mapping[Fault, str]]] = {
    "openai": (OpenAIModel, "scripted", "openai", {}),
    "anthropic": (AnthropicModel, "scripted", "anthropic", {}),
    "litellm-openai": (LiteLLMModel, "openai/scripted", "openai", {}),
    "litellm-anthropic": (LiteLLMModel, "anthropic/scripted", "anthropic", {Fault.NULL: "transient malformed"}),
}


def opened(name: str, url: str, timeout: float = 60.0) -> ChatModel:
    adapter, model, *_ = ADAPTERS[name]
    return adapter(ModelSpec(provider=name, model=model, base_url=url, timeout=timeout))


@pytest.mark.parametrize("name", ADAPTERS)
def test_our_models_keep_the_contract(name: str) -> None:
    with ScriptedServer(obedient) as server:
        check_model(lambda: opened(name, server.anthropic_url if ADAPTERS[name][2] == "anthropic" else server.url))


@pytest.mark.parametrize("name", ADAPTERS)
def test_our_models_raise_the_right_error_after_one_attempt(name: str) -> None:
    _, _, wire, exceptions = ADAPTERS[name]
    check_failures(lambda url, timeout: opened(name, url, timeout), wire, instead=exceptions)


class Plain:
    def complete(self, messages: list[Message]) -> str:
        return f"You said {messages[-1]['content']!r}"


class Async:
    capabilities = ("json", "grammar")
    fingerprint = "async-1"

    async def complete(
        self, messages: list[Message], *, seed: int | None = None, constraint: Constraint | None = None
    ) -> str | Completion:
        await asyncio.sleep(0)
        if constraint is None:
            return Completion("Hello.", Usage(calls=1, input_tokens=3, output_tokens=1, cost=None))
        if constraint.style is ConstraintStyle.GRAMMAR:
            return f"Thought: I obey.\nAction: {constraint.choices[-1]}"
        return str(obedient({"response_format": {"schema": constraint.json_schema()}}))


@pytest.mark.parametrize("model", [Plain, Async])
def test_correct_custom_classes_pass(model: type[Any]) -> None:
    check_model(model)


class Empty(Plain):
    def complete(self, messages: list[Message]) -> str:
        return " "


class FailingFingerprint(Plain):
    def complete(self, messages: list[Message]) -> str:
        return "Hello."

    @property
    def fingerprint(self) -> str:
        raise RuntimeError("not yet")


class Unconstrained(Async):
    async def complete(self, messages: list[Message], **arguments: Any) -> str:
        return "Action: jump"


class Miscounting(Plain):
    def complete(self, messages: list[Message]) -> Any:
        return Completion("Hello.", Usage(calls=1, input_tokens=3, cached_tokens=5))


class ModifyingMessages(ChatModel):
    """Modifies the messages, and cannot be closed twice."""

    closed = False
    fingerprint = None

    async def complete(self, messages: Any, *, seed: int | None = None, constraint: Any = None) -> Completion:
        messages.append({"role": "assistant", "content": "Hello."})
        return Completion("Hello.", Usage(calls=1))

    async def aclose(self) -> None:
        assert not self.closed, "closed twice"
        self.closed = True


@pytest.mark.parametrize(
    ("model", "error", "message"),
    [
        (Empty, ModelFailure, "empty"),
        (FailingFingerprint, RuntimeError, "not yet"),
        (Unconstrained, AssertionError, "is not one of the choices"),
        (Miscounting, AssertionError, "cached tokens must be part of the input tokens"),
        (ModifyingMessages, AssertionError, "modified the messages"),
    ],
)
def test_check_model_names_the_violation(model: type[Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        check_model(model)


def test_check_failures_finds_a_model_that_retries() -> None:
    class Retrying(OpenAIModel):
        async def complete(self, *arguments: Any, **keywords: Any) -> Completion:
            try:
                return await super().complete(*arguments, **keywords)
            except Exception:
                return await super().complete(*arguments, **keywords)

    def open_at(url: str, timeout: float) -> ChatModel:
        return Retrying(ModelSpec(provider="retrying", model="x", base_url=url, timeout=timeout))

    with pytest.raises(AssertionError, match="2 attempts in one call"):
        check_failures(open_at)


def test_check_failures_finds_a_model_that_shows_its_api_key() -> None:
    class ShowingKey(OpenAIModel):
        async def complete(self, *arguments: Any, **keywords: Any) -> Completion:
            raise ModelFailure("bad_request", f"I sent {KEY}")

    with pytest.raises(AssertionError, match="contains an API key"):
        check_failures(lambda url, timeout: ShowingKey(ModelSpec(provider="showing-key", model="x", base_url=url)))

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


# litellm takes Anthropic's `content: null` for an error of its own.
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
def test_an_adapter_keeps_the_contract(name: str) -> None:
    with ScriptedServer(obedient) as server:
        check_model(lambda: opened(name, server.anthropic_url if ADAPTERS[name][2] == "anthropic" else server.url))


@pytest.mark.parametrize("name", ADAPTERS)
def test_an_adapter_raises_what_it_should_and_never_tries_twice(name: str) -> None:
    _, _, wire, instead = ADAPTERS[name]
    check_failures(lambda url, timeout: opened(name, url, timeout), wire, instead=instead)


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
            return f"Thought: So be it.\nAction: {constraint.choices[-1]}"
        return str(obedient({"response_format": {"schema": constraint.json_schema()}}))


@pytest.mark.parametrize("model", [Plain, Async])
def test_a_class_of_ones_own_keeps_the_contract(model: type[Any]) -> None:
    check_model(model)


class Silent(Plain):
    def complete(self, messages: list[Message]) -> str:
        return " "


class Meddling(Plain):
    def complete(self, messages: list[Message]) -> str:
        return "I count on nobody to check."

    @property
    def fingerprint(self) -> str:
        raise RuntimeError("not yet")


class Disobedient(Async):
    async def complete(self, messages: list[Message], **asked: Any) -> str:
        return "Action: jump"


class Miscounting(Plain):
    def complete(self, messages: list[Message]) -> Any:
        return Completion("Hello.", Usage(calls=1, input_tokens=3, cached_tokens=5))


class Sour(ChatModel):
    """Changes the messages it is given, and closes once."""

    closed = False
    fingerprint = None

    async def complete(self, messages: Any, *, seed: int | None = None, constraint: Any = None) -> Completion:
        messages.append({"role": "assistant", "content": "Hello."})
        return Completion("Hello.", Usage(calls=1))

    async def aclose(self) -> None:
        assert not self.closed, "closed twice"
        self.closed = True


@pytest.mark.parametrize(
    ("model", "error", "told"),
    [
        (Silent, ModelFailure, "empty"),
        (Meddling, RuntimeError, "not yet"),
        (Disobedient, AssertionError, "names none of the choices"),
        (Miscounting, AssertionError, "cached tokens are among the input tokens"),
        (Sour, AssertionError, "changed the messages"),
    ],
)
def test_the_check_finds_what_is_broken(model: type[Any], error: type[Exception], told: str) -> None:
    with pytest.raises(error, match=told):
        check_model(model)


def test_the_check_finds_an_adapter_that_retries() -> None:
    class Stubborn(OpenAIModel):
        async def complete(self, *given: Any, **named: Any) -> Completion:
            try:
                return await super().complete(*given, **named)
            except Exception:
                return await super().complete(*given, **named)

    def open_at(url: str, timeout: float) -> ChatModel:
        return Stubborn(ModelSpec(provider="stubborn", model="x", base_url=url, timeout=timeout))

    with pytest.raises(AssertionError, match="2 tries in one call"):
        check_failures(open_at)


def test_the_check_finds_an_adapter_that_shows_its_key() -> None:
    class Chatty(OpenAIModel):
        async def complete(self, *given: Any, **named: Any) -> Completion:
            raise ModelFailure("bad_request", f"I sent {KEY}")

    with pytest.raises(AssertionError, match="shows a key"):
        check_failures(lambda url, timeout: Chatty(ModelSpec(provider="chatty", model="x", base_url=url)))

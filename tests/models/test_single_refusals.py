"""Endpoints that refuse one request, some requests, or all of them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from ictbench.errors import EndpointRefusedError, ModelFailure
from ictbench.models import ModelPool
from ictbench.records import ModelSpec, Usage
from ictbench.testing import Reply, ScriptedServer

if TYPE_CHECKING:
    from collections.abc import Callable

    from ictbench.models.chat_model import Completion, Message

FLAGGED = "Your chosen model requires moderation and your input was flagged"
BAD: Message = {"role": "user", "content": "kill the kobold"}


def ask(answer: Callable[[dict[str, Any]], str | Reply], provider: str = "openai") -> tuple[Any, ScriptedServer]:
    """Return the outcome of one request, and the server."""

    async def main(url: str) -> Completion | BaseException:
        models = ModelPool()
        model = models.open(ModelSpec(provider=provider, model="m", base_url=url))
        (outcome,) = await asyncio.gather(model.complete([BAD]), return_exceptions=True)
        await models.aclose()
        return outcome

    with ScriptedServer(answer) as server:
        return asyncio.run(main(server.anthropic_url if provider == "anthropic" else server.url)), server


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-0123456789")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-0123456789")


@pytest.mark.parametrize("provider", ["openai", "anthropic", "vllm"])
def test_a_flagged_input_is_a_failure_of_the_model(provider: str) -> None:
    outcome, server = ask(
        lambda body: Reply(FLAGGED, status=403) if "kobold" in str(body["messages"]) else "OK", provider
    )
    assert isinstance(outcome, ModelFailure)
    assert (outcome.kind, outcome.detail) == ("refused", f"HTTP 403: {FLAGGED}")
    assert outcome.usage == Usage(calls=1)
    assert server.requests == 2


@pytest.mark.parametrize("status", [401, 402, 403, 404])
def test_an_endpoint_that_refuses_every_request_refuses_the_key(status: int) -> None:
    outcome, server = ask(lambda body: Reply("no", status=status))
    assert isinstance(outcome, EndpointRefusedError)
    assert outcome.status == status
    assert server.requests == (2 if status == 403 else 1)


@pytest.mark.parametrize("status", [401, 402, 404])
def test_other_refusals_are_never_the_models(status: int) -> None:
    outcome, _ = ask(lambda body: Reply("no", status=status) if "kobold" in str(body["messages"]) else "OK")
    assert isinstance(outcome, EndpointRefusedError)


def test_an_endpoint_that_rejects_the_harmless_request_otherwise_takes_the_key() -> None:
    outcome, _ = ask(lambda body: Reply("no", status=403 if "kobold" in str(body["messages"]) else 400))
    assert isinstance(outcome, ModelFailure)
    assert outcome.kind == "refused"


def test_content_that_is_unavailable_for_legal_reasons_is_refused() -> None:
    outcome, _ = ask(lambda body: Reply("not here", status=451))
    assert isinstance(outcome, ModelFailure)
    assert outcome.kind == "refused"

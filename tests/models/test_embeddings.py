"""Embeddings of texts: through HTTP, with limits, retries and prices."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from ictbench.errors import ConfigError, EndpointDownError, ModelUnavailableError, TransientModelError
from ictbench.models import ModelClient, Retry, UsageMeter
from ictbench.models import client as client_module
from ictbench.models.chat_model import Embeddings
from ictbench.models.embeddings import embedding_model, read_embeddings
from ictbench.models.http import MalformedReplyError
from ictbench.models.prices import Price
from ictbench.models.providers.openai import OpenAIModel
from ictbench.records import ModelSpec, Usage
from ictbench.testing import ScriptedServer

if TYPE_CHECKING:
    from collections.abc import Sequence


def spec(url: str, **options: Any) -> ModelSpec:
    return ModelSpec(provider="openai", model="m", base_url=url, options=options)


def embed(model: OpenAIModel, texts: Sequence[str]) -> tuple[Embeddings, UsageMeter]:
    async def once() -> tuple[Embeddings, UsageMeter]:
        meter = UsageMeter()
        client = ModelClient(model, meter, retry=Retry(base_wait=0.0))
        try:
            assert client.embeds
            return await client.embed(texts), meter
        finally:
            await client.aclose()

    return asyncio.run(once())


def test_texts_are_embedded_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def price(priced: ModelSpec) -> Price:
        asked.append(priced.model)
        return Price(input=0.5, output=1000.0)

    monkeypatch.setattr(client_module, "find_price", price)
    with ScriptedServer([""], embed=lambda text: [len(text), 1.5]) as server:
        model = OpenAIModel(spec(server.url, embedding_model="small"))
        embeddings, meter = embed(model, ["one two", "three"])
        assert server.embedded == ["one two", "three"]
    assert embeddings.vectors == ((7.0, 1.5), (5.0, 1.5))
    # Three words at the price of the model that embeds, not of the one that answers.
    assert asked == ["small"]
    assert embeddings.usage == meter.spent == Usage(calls=1, input_tokens=3, cost=1.5)


def test_a_model_without_the_option_does_not_embed() -> None:
    model = OpenAIModel(spec("http://127.0.0.1:9/v1"))
    assert not model.embeds
    with pytest.raises(NotImplementedError, match="embedding_model"):
        asyncio.run(model.embed(["a"]))


def test_a_server_without_embeddings_refuses() -> None:
    with ScriptedServer([""]) as server, pytest.raises(EndpointDownError, match="embedding_model 'small'"):
        embed(OpenAIModel(spec(server.url, embedding_model="small")), ["a"])


def test_an_overloaded_server_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    model = OpenAIModel(spec("http://127.0.0.1:9/v1", embedding_model="small"))
    answers: list[Embeddings | TransientModelError] = [
        TransientModelError("overloaded", "busy"),
        Embeddings(((1.0,),), Usage(calls=1, input_tokens=1)),
    ]

    async def answer(texts: Sequence[str]) -> Embeddings:
        reply = answers.pop(0)
        if isinstance(reply, TransientModelError):
            raise reply
        return reply

    monkeypatch.setattr(model, "embed", answer)
    embeddings, meter = embed(model, ["a"])
    assert embeddings.vectors == ((1.0,),)
    assert meter.retries == 1
    answers[:] = [TransientModelError("overloaded", "busy")] * 5
    with pytest.raises(ModelUnavailableError, match="5 attempts"):
        embed(model, ["a"])


def test_the_option_is_no_parameter_of_completions() -> None:
    async def ask(url: str) -> None:
        model = OpenAIModel(spec(url, embedding_model="small", top_k=4))
        await model.complete([{"role": "user", "content": "Hello."}])
        await model.aclose()

    with ScriptedServer(["Hi."], record=True) as server:
        asyncio.run(ask(server.url))
    (body,) = server.requests_log
    assert "embedding_model" not in body
    assert body["top_k"] == 4


@pytest.mark.parametrize("value", ["", " ", 3, None, ["small"]])
def test_the_option_is_a_name(value: Any) -> None:
    with pytest.raises(ConfigError, match="give the name of a model"):
        embedding_model(spec("http://127.0.0.1:9/v1", embedding_model=value))


def items(*vectors: Any) -> list[dict[str, Any]]:
    return [{"index": number, "embedding": vector} for number, vector in enumerate(vectors)]


def test_vectors_come_in_the_order_of_the_texts() -> None:
    embeddings = read_embeddings({"data": items([1], [2])[::-1], "usage": {"prompt_tokens": 4}}, 2)
    assert embeddings == Embeddings(((1.0,), (2.0,)), Usage(calls=1, input_tokens=4, cost=None))


def test_a_reply_without_usage_is_unreported() -> None:
    usage = read_embeddings({"data": items([1])}, 1).usage
    assert (usage.calls, usage.unreported, usage.cost) == (1, 1, None)


@pytest.mark.parametrize(
    "reply",
    [
        {},
        {"data": None},
        {"data": [{"embedding": [1]}]},
        {"data": items([1])},
        {"data": items([1], [1, 2])},
        {"data": items([], [])},
        {"data": items([1], ["x"])},
        {"data": items([1], "abc")},
        {"data": items([1], [float("nan")])},
        {"data": [items([1])[0], items([1])[0]]},
        {"data": items([1], [2], [3])},
    ],
)
def test_other_replies_are_malformed(reply: dict[str, Any]) -> None:
    with pytest.raises(MalformedReplyError):
        read_embeddings(reply, 2)

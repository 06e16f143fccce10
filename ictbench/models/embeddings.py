"""Embeddings of texts: an optional part of the contract of a model, in OpenAI's wire format."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ictbench.errors import ConfigError, EndpointDownError, ModelFailure
from ictbench.models.chat_model import Embeddings
from ictbench.models.http import MalformedReplyError
from ictbench.models.token_counts import stated_cost, token_count
from ictbench.records import UNREPORTED, Usage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ictbench.models.chat_model import ChatModel
    from ictbench.records import ModelSpec

OPTION = "embedding_model"
"""Option of a model: the name of the model that embeds texts at the same address."""
MAX_DIMENSIONS = 8192
MAX_CHARACTERS = 4_000
"""Maximum length of a text that is embedded."""
SAMPLE_TEXT = "Reply with the word OK."


def embedding_model(spec: ModelSpec) -> str:
    """Return the name of the model that embeds texts; empty without the option.

    Raises:
        ConfigError: The option is not a name.
    """
    name = spec.options.get(OPTION, "")
    if not isinstance(name, str) or (OPTION in spec.options and not name.strip()):
        raise ConfigError(f"{spec.name}: option {OPTION!r} is {name!r:.80}; give the name of a model")
    return name


def read_embeddings(reply: dict[str, Any], count: int) -> Embeddings:
    """Return the embeddings of a reply in OpenAI's format.

    Args:
        reply: The reply.
        count: Number of texts.

    Raises:
        MalformedReplyError: It does not hold one vector for each text.
    """
    try:
        items = sorted(reply["data"], key=lambda item: item["index"])
        vectors = tuple(tuple(map(float, item["embedding"])) for item in items)
        positions = [item["index"] for item in items]
    except (LookupError, TypeError, ValueError, OverflowError):
        raise MalformedReplyError("the reply is not a list of embeddings") from None
    lengths = {len(vector) for vector in vectors}
    finite = all(math.isfinite(number) for vector in vectors for number in vector)
    if positions != list(range(count)) or len(lengths) != 1 or not 1 <= max(lengths) <= MAX_DIMENSIONS or not finite:
        raise MalformedReplyError(f"the reply does not hold one vector for each of {count} texts")
    usage = reply.get("usage")
    tokens, cost = token_count(usage, "prompt_tokens"), stated_cost(usage)
    if not tokens:
        return Embeddings(vectors, UNREPORTED.model_copy(update={"cost": cost}))
    return Embeddings(vectors, Usage(calls=1, input_tokens=tokens, cost=cost))


async def embed_texts(model: ChatModel, texts: Sequence[str], dimensions: int | None = None) -> Embeddings:
    """Return the vectors of texts, each of its first `MAX_CHARACTERS`.

    Args:
        model: A model that embeds.
        texts: At least one. Servers refuse empty ones, which become a space.
        dimensions: Length of earlier vectors, with which these are compared; None if there are none.

    Raises:
        EndpointDownError: The vectors have another length, or see `ModelClient.embed`.
        ModelFailure: The model caused the failure.
        ModelUnavailableError: The model does not answer.
    """
    embeddings = await model.embed([text[:MAX_CHARACTERS] or " " for text in texts])
    length = len(embeddings.vectors[0])
    if dimensions is not None and length != dimensions:
        raise no_vectors(model, f"these have {length} numbers, those of earlier episodes {dimensions}")
    return embeddings


async def rehearse_embeddings(model: ChatModel, text: str) -> None:
    """Embed two texts of different length.

    Args:
        model: A model that embeds.
        text: Text like those that the run embeds.

    Raises:
        EndpointDownError: The server rejects the request, or the vectors cannot be used.
        ModelUnavailableError: The model does not answer.
    """
    try:
        embeddings = await embed_texts(model, [SAMPLE_TEXT, text])
    except ModelFailure as failure:
        raise no_vectors(model, str(failure)) from failure
    if not all(map(any, embeddings.vectors)):
        raise no_vectors(model, "all numbers of a vector are 0")


def no_vectors(model: ChatModel, reason: str) -> EndpointDownError:
    """Return the error that stops a run because the endpoint gives no vectors that can be used."""
    spec = model.spec
    name = embedding_model(spec)
    return EndpointDownError(
        f"{spec.name}: {f'{OPTION} {name!r}' if name else 'embed'} gives no usable vectors at {model.address}: "
        f"{reason}; serve a model that embeds texts, or leave out {OPTION}"
    )

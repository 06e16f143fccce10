"""Embeddings of texts: an optional part of the contract of a model, in OpenAI's wire format."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ictbench.errors import ConfigError
from ictbench.models.chat_model import Embeddings
from ictbench.models.http import MalformedReplyError
from ictbench.models.token_counts import stated_cost, token_count
from ictbench.records import UNREPORTED, Usage

if TYPE_CHECKING:
    from ictbench.records import ModelSpec

OPTION = "embedding_model"
"""Option of a model: the name of the model that embeds texts at the same address."""
MAX_DIMENSIONS = 8192


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

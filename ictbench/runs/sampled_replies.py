"""Properties of a model's replies that the estimate of a run needs: measured, or assumed as ranges."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ictbench.errors import ModelFailure
from ictbench.records import Usage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ictbench.models import ModelClient
    from ictbench.models.adaptation import Request
    from ictbench.records import ModelSpec

Range = tuple[float, float]
"""The least and the most."""

CHARACTERS_PER_TOKEN: Range = (2.8, 4.4)
"""Least and most, over four tokenizers and both worlds (`python benchmarks/actor_tokens.py`)."""
SHORT_REPLY = 10
"""Tokens of a reply that holds little more than an action."""
SECONDS_PER_REPLY: Range = (0.5, 10.0)
"""Assumed where no model is asked."""
FEW_REPLIES, MANY_REPLIES = 2, 8
"""Replies that are measured in any case, and at most."""
ASK_SECONDS = 30.0
"""Time after which no further reply is requested."""


@dataclass(frozen=True, slots=True)
class SampledReplies:
    """Properties of a model's replies."""

    tokens: Range
    characters_per_token: Range = CHARACTERS_PER_TOKEN
    seconds: Range = SECONDS_PER_REPLY
    cost_per_token: float | None = None
    """US dollars per input or output token, if the replies state their cost."""
    asked: bool = False
    """Whether replies were measured."""

    @classmethod
    def assumed(cls, spec: ModelSpec, seconds: Range = SECONDS_PER_REPLY) -> SampledReplies:
        """Return the ranges for a model of which no reply is measured."""
        return cls((min(SHORT_REPLY, spec.max_tokens), spec.max_tokens), seconds=seconds)


async def ask_model(model: ModelClient, requests: Sequence[Request]) -> SampledReplies:
    """Send some of the requests, one after another, and measure the replies whose usage is reported."""
    usage, characters, sent, started = Usage(), 0, 0, time.monotonic()
    for request in _spread(requests):
        if sent >= FEW_REPLIES and time.monotonic() - started > ASK_SECONDS:
            break
        sent += 1
        try:
            reply = await model.complete_uncached(request.messages, seed=request.seed, constraint=request.constraint)
        except ModelFailure as failure:
            reported = failure.usage
        else:
            reported = reply.usage
        if reported and reported.input_tokens and not reported.unreported:
            usage += reported
            characters += sum(len(message["content"]) for message in request.messages)
    seconds = (time.monotonic() - started) / max(1, sent)
    if not (usage.input_tokens and usage.output_tokens):
        return SampledReplies.assumed(model.spec, (seconds, seconds))
    tokens, ratio = usage.output_tokens / usage.calls, characters / usage.input_tokens
    cost = usage.cost / usage.tokens if usage.cost else None
    return SampledReplies((tokens, tokens), (ratio, ratio), (seconds, seconds), cost, asked=True)


def _spread(requests: Sequence[Request]) -> list[Request]:
    """Return requests from the whole sequence, at equal distances; the first ones again if there are too few."""
    if len(requests) <= FEW_REPLIES:
        return [*requests, *requests][:FEW_REPLIES]
    count = min(MANY_REPLIES, len(requests))
    return [requests[number * len(requests) // count] for number in range(count)]

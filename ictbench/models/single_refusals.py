"""Refusals of single requests by an endpoint that answers others with the same key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ictbench.errors import InfrastructureError, ModelFailure
from ictbench.records import Usage

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from ictbench.errors import EndpointRefusedError
    from ictbench.models.chat_model import Completion, Message

FORBIDDEN = 403
"""Status for a key without permission, and with some gateways also for an input that a filter has flagged."""

HARMLESS: tuple[Message, ...] = ({"role": "user", "content": "Reply with the word OK."},)


async def judge_refusal(
    error: EndpointRefusedError, ask: Callable[[Sequence[Message]], Awaitable[Completion]]
) -> EndpointRefusedError | ModelFailure:
    """Return what a refusal means: a failure of this request if a harmless one is answered, or else the refusal.

    Args:
        error: The refusal.
        ask: Sends another request to the same endpoint with the same key.
    """
    if error.status != FORBIDDEN:
        return error
    try:
        await ask(HARMLESS)
    except InfrastructureError:
        return error
    except ModelFailure:
        pass  # The endpoint takes the key, whatever it thinks of the question.
    return ModelFailure("refused", error.words, Usage(calls=1))

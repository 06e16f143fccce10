"""Proof that a server ignores the decoding of an actor, from its replies in a rehearsal."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING

from ictbench.errors import EndpointRefusedError, ModelFailure
from ictbench.models.chat_model import ACT_TOOL, ConstraintStyle

if TYPE_CHECKING:
    from collections.abc import Callable

    from ictbench.models.adaptation import Request
    from ictbench.models.chat_model import Completion, Constraint
    from ictbench.models.model_pool import ModelPool
    from ictbench.records import Adaptation, ModelSpec

log = logging.getLogger(__name__)


async def check_decoding(
    models: ModelPool,
    spec: ModelSpec,
    request: Request,
    reply: Completion,
    *,
    other: Request | None,
    adapt: bool,
    remark: Callable[[str], object],
) -> Adaptation:
    """Check that the server imposes the constraint of a request, and return the adaptation with which it does.

    A reply that violates a grammar, or that is no JSON object with an action, is proof that it does not. JSON and calls
    with another action are left to the model, as not every server imposes lists of values. Without a call, the call is
    forced in another way, then another question is asked.

    Args:
        models: Opens the model.
        spec: The model, with the adaptation so far.
        request: The request.
        reply: The reply to it.
        other: Another request of the same player.
        adapt: Whether the adaptation may change.
        remark: Receives what the user should know and what stops nothing.

    Raises:
        EndpointRefusedError: The server ignores the constraint.
    """
    constraint = request.constraint
    if constraint is None or constraint.admits(reply):
        return spec.adaptation
    shown = (reply.text or str([*reply.calls]))[:80]
    problem = f"{spec.name} does not keep to the decoding {constraint.style}: it answers {shown!r}"
    if _acts(reply, constraint):
        remark(f"{problem}; such decisions have no valid action")
        return spec.adaptation
    if constraint.style is ConstraintStyle.TOOLS:
        adaptation = spec.adaptation.model_copy(update={"tool_choice": "required"})
        required = spec.model_copy(update={"adaptation": adaptation})
        if adapt and required != spec and await _calls(models, required, request):
            log.warning("%s; adapted: %s", problem, adaptation.in_words)
            return adaptation
        if other and await _calls(models, spec, other):
            remark(f"{problem}; replies without a call have no action")
            return spec.adaptation
    raise EndpointRefusedError(
        f"{problem}, so its server ignores the decoding (choose another decoding, e.g. --actor-decoding free)"
    )


async def _calls(models: ModelPool, spec: ModelSpec, request: Request) -> bool:
    """Return whether the model calls the tool of the actor."""
    try:
        reply = await models.open(spec).complete_uncached(
            request.messages, seed=request.seed, constraint=request.constraint
        )
    except ModelFailure:
        return False
    return any(call["name"] == ACT_TOOL for call in reply.calls)


def _acts(reply: Completion, constraint: Constraint) -> bool:
    """Return whether a reply has the form that the constraint imposes, with whatever action."""
    if constraint.style is ConstraintStyle.TOOLS:
        return any(call["name"] == ACT_TOOL for call in reply.calls)
    try:
        return constraint.style is ConstraintStyle.JSON and isinstance(json.loads(reply.text)["action"], str)
    except (ValueError, TypeError, LookupError, RecursionError):
        return False

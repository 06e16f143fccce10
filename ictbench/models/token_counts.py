"""Counts of tokens: those that a provider reports, and upper estimates where it reports none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ictbench.models.chat_model import Constraint, Message

MAX_COUNT = 10**9
"""Larger counts are errors of the provider."""
TOKENS_PER_MESSAGE = 64
"""More than any chat template adds to a message."""


def token_count(reported: Any, *path: str) -> int | None:
    """Return the count at a path of reported JSON; None if it is missing, negative or not a count."""
    value = reported
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= MAX_COUNT:
        return None
    return int(value) if value == int(value) else None


def input_tokens_at_most(messages: Sequence[Message], constraint: Constraint | None) -> int:
    """Return an upper estimate of the input tokens of a request: no tokenizer makes more tokens than UTF-8 bytes."""
    texts = [message["content"] for message in messages]
    texts += [str(message["call"]) for message in messages if "call" in message]
    if constraint:
        texts.append(str(constraint.json_schema()))
    return sum(len(text.encode(errors="replace")) for text in texts) + TOKENS_PER_MESSAGE * (len(messages) + 1)

"""Counts of tokens and costs: those that a provider reports, and upper estimates where it reports none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ictbench.records import UNREPORTED

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ictbench.models.chat_model import Constraint, Message, ToolCall
    from ictbench.records import Usage

MAX_COUNT = 10**9
"""Larger counts are errors of the provider."""
MAX_OUTPUT_TOKENS = 10**6
"""More than any model writes in one reply, its reasoning included."""
HIDDEN_TOKENS = 10_000
"""More than a server adds to a request, such as a prompt of its own."""
MAX_COST = 1000.0
"""US dollars of one request; larger costs are errors of the provider, or have another unit."""
MAX_FEE = 1.0
MAX_TOKEN_COST = 0.01
"""US dollars of a request and of each of its tokens: far more than any model costs."""
TOKENS_PER_MESSAGE = 64
"""More than any chat template adds to a message."""


def token_count(reported: Any, *path: str) -> int | None:
    """Return the count at a path of reported JSON; None if it is missing, negative or not a count."""
    value = _number(reported, path, MAX_COUNT)
    return int(value) if value is not None and value == int(value) else None


def stated_cost(reported: Any) -> float | None:
    """Return the cost in US dollars that a reported usage states; None if it states none, or not all of it.

    OpenRouter states a number, Perplexity an object with its total. With a key of the user's own at the provider behind
    it, OpenRouter states its fee and, separately, what that provider charges. Zero is no statement, because a gateway
    that knows no price may write it.
    """
    cost = _dollars(reported, "cost")
    if cost is None:
        cost = _dollars(reported, "cost", "total_cost")
    if isinstance(reported, dict) and reported.get("is_byok") is True:
        charged = _dollars(reported, "cost_details", "upstream_inference_cost")
        cost = None if cost is None or not charged else cost + charged
    return cost or None


def input_tokens_at_most(messages: Sequence[Message], constraint: Constraint | None) -> int:
    """Return an upper estimate of the input tokens of a request: no tokenizer makes more tokens than UTF-8 bytes."""
    texts = [message["content"] for message in messages]
    texts += [str(message["call"]) for message in messages if "call" in message]
    if constraint:
        texts.append(str(constraint.json_schema()))
    return sum(len(text.encode(errors="replace")) for text in texts) + TOKENS_PER_MESSAGE * (len(messages) + 1)


def counted(usage: Usage, text: str, calls: Sequence[ToolCall]) -> Usage:
    """Return the usage of a reply; it is unreported if a reply that says something is said to have no tokens."""
    if usage.unreported or usage.output_tokens or not (text or calls):
        return usage
    return UNREPORTED.model_copy(update={"cost": usage.cost})


def plausible(usage: Usage, characters: int, at_most: Callable[[], tuple[int, int]]) -> Usage:
    """Return a usage without what cannot be right: such counts are unreported, and such a cost is unknown.

    Args:
        usage: The usage of one request, as reported.
        characters: Characters of its messages. Up to so many input tokens, `at_most` is not asked.
        at_most: Returns upper estimates of its input and output tokens; see `input_tokens_at_most`.
    """
    most = characters + HIDDEN_TOKENS
    if usage.input_tokens > most and usage.input_tokens > at_most()[0] + HIDDEN_TOKENS:
        usage = UNREPORTED
    elif usage.output_tokens > MAX_OUTPUT_TOKENS:
        usage = UNREPORTED.model_copy(update={"cost": usage.cost})
    if usage.cost and usage.cost > MAX_FEE:
        tokens = sum(at_most()) if usage.unreported else usage.tokens
        if usage.cost > MAX_FEE + MAX_TOKEN_COST * tokens:
            usage = usage.model_copy(update={"cost": None})
    return usage


def _dollars(reported: Any, *path: str) -> float | None:
    value = _number(reported, path, MAX_COST)
    return None if value is None else float(value)


def _number(reported: Any, path: Sequence[str], most: float) -> int | float | None:
    """Return the number at a path of reported JSON; None if it is missing, negative, too large or not a number."""
    value = reported
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= most else None

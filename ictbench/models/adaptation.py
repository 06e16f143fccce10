"""Adaptation of requests to a server that rejects some of their parameters or roles."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any, get_args

from ictbench.models.chat_model import ConstraintStyle, Message
from ictbench.records import OmittedParameter

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from ictbench.models.chat_model import Constraint
    from ictbench.records import Adaptation, ModelSpec

TOKEN_LIMITS = ("max_tokens", "max_completion_tokens")
ALIASES = {"parallel_tool_calls": "disable_parallel_tool_use"}
"""Other names of the same parameter."""
TOP_LEVEL = frozenset({"seed", "temperature"})
"""Parameters of every request; the others occur in those with a constraint, at any depth."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request to a model, as a player makes it."""

    messages: tuple[Message, ...]
    seed: int | None = None
    constraint: Constraint | None = None

    @property
    def begins_reply(self) -> bool:
        """Whether the last message is the start of the reply."""
        return bool(self.messages) and self.messages[-1]["role"] == "assistant"


@dataclass(frozen=True, slots=True)
class Change:
    """One harmless change of a request."""

    words: re.Pattern[str]
    """Occurs in the message of a server that requires the change."""
    apply: Callable[[Adaptation], Adaptation]
    is_alternative: bool = False
    """Whether it undoes another change that is an alternative."""


def changes_for(spec: ModelSpec, request: Request) -> Iterator[Change]:
    """Yield the changes that a request allows, the least noticeable first.

    A parameter that the user chose with a model option is never changed.
    """
    for name in sorted(get_args(OmittedParameter), key=lambda name: name in TOP_LEVEL):
        if name not in spec.options and _is_sent(name, spec, request):
            yield Change(_parameter(name), partial(_omit, name))
    if request.constraint and request.constraint.style is ConstraintStyle.TOOLS:
        yield Change(re.compile("tool[_ ]choice", re.IGNORECASE), partial(_update, "tool_choice", "required"))
    if not spec.options.keys() & set(TOKEN_LIMITS):
        words = re.compile(r"max_(?:completion_|new_|output_)?tokens|maxOutputTokens", re.IGNORECASE)
        for name in reversed(TOKEN_LIMITS):
            yield Change(words, partial(_update, "token_limit", name), is_alternative=True)
    roles = [message["role"] for message in request.messages if "call" not in message]
    if any(one == other for one, other in pairwise(roles)):
        words = re.compile("alternat|consecutive|roles? must", re.IGNORECASE)
        yield Change(words, partial(_update, "merge_roles", True))
    if "system" in roles:
        words = re.compile(r"\bsystem|developer|alternat|\broles?\b", re.IGNORECASE)
        yield Change(words, partial(_update, "fold_system", True))


def adapt_messages(messages: Sequence[Message], adaptation: Adaptation) -> Sequence[Message]:
    """Return a conversation with the roles that the server accepts."""
    if adaptation.fold_system:
        messages = _fold_system(messages)
    if adaptation.merge_roles:
        messages = _merge_roles(messages)
    return messages


def adapt_parameters(
    parameters: dict[str, Any], adaptation: Adaptation, *, required: Any = "required"
) -> dict[str, Any]:
    """Return the parameters of a request with the names that the server accepts.

    Args:
        parameters: Parameters, as the provider sends them. Messages among them are not changed.
        adaptation: The changes.
        required: The value of `tool_choice` that forces a call without naming the tool.
    """
    adapted = dict(parameters)
    if adaptation.token_limit:
        adapted = {adaptation.token_limit if n in TOKEN_LIMITS else n: value for n, value in adapted.items()}
    if adaptation.tool_choice and "tool_choice" in adapted:
        adapted["tool_choice"] = required
    if adaptation.omit:
        omitted = {*adaptation.omit, *(ALIASES[name] for name in adaptation.omit if name in ALIASES)}
        adapted = {
            name: value if name == "messages" else _without(value, omitted - TOP_LEVEL)
            for name, value in adapted.items()
            if name not in omitted
        }
    return adapted


def _is_sent(name: str, spec: ModelSpec, request: Request) -> bool:
    if name == "seed":
        return request.seed is not None
    if name == "temperature":
        return spec.temperature is not None
    return request.constraint is not None


def _parameter(name: str) -> re.Pattern[str]:
    """Return a pattern for the names of a parameter, also as a part of another name: `random_seed`."""
    names = "|".join(name.replace("_", "[_ ]") for name in (name, ALIASES.get(name)) if name)
    return re.compile(rf"(?<![^\W_])(?:{names})(?![^\W_])", re.IGNORECASE)


def _omit(name: str, adaptation: Adaptation) -> Adaptation:
    return _update("omit", tuple(sorted({*adaptation.omit, name})), adaptation)


def _update(field: str, value: Any, adaptation: Adaptation) -> Adaptation:
    return adaptation.model_copy(update={field: value})


def _without(value: Any, names: Collection[str]) -> Any:
    if isinstance(value, dict):
        return {name: _without(inner, names) for name, inner in value.items() if name not in names}
    if isinstance(value, list):
        return [_without(inner, names) for inner in value]
    return value


def _fold_system(messages: Sequence[Message]) -> list[Message]:
    system = "\n\n".join(message["content"] for message in messages if message["role"] == "system")
    rest = [message for message in messages if message["role"] != "system"]
    if not system:
        return rest
    if not rest or rest[0]["role"] != "user":
        return [{"role": "user", "content": system}, *rest]
    return [{**rest[0], "content": f"{system}\n\n{rest[0]['content']}"}, *rest[1:]]


def _merge_roles(messages: Sequence[Message]) -> list[Message]:
    merged: list[Message] = []
    for message in messages:
        last = merged[-1] if merged else None
        if last and last["role"] == message["role"] and "call" not in last and "call" not in message:
            merged[-1] = {**last, "content": f"{last['content']}\n\n{message['content']}"}
        else:
            merged.append(message)
    return merged

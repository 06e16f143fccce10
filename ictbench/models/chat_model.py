"""The contract of a language model."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal, NotRequired, TypedDict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ictbench.records import ModelSpec, Usage

FinishReason = Literal["stop", "length", "content_filter", "other"]

THOUGHT_CHARACTERS = 300
"""Maximum length of the thought in a constrained reply."""
ACT_TOOL = "act"
"""Name of the one tool that an actor may call."""
ACT_TOOL_DESCRIPTION = "Carry out one of the available actions."


class ToolCall(TypedDict):
    """One call of a tool."""

    id: str
    name: str
    arguments: str
    """JSON, where the model wrote such."""


class Message(TypedDict):
    """One chat message."""

    role: Literal["system", "user", "assistant", "tool"]
    content: str
    call: NotRequired[ToolCall]
    """What an assistant's message calls, and what a tool's message is the result of."""


@dataclass(frozen=True, slots=True)
class Completion:
    """A model's reply."""

    text: str
    usage: Usage
    finish_reason: FinishReason = "stop"
    calls: tuple[ToolCall, ...] = ()
    """Tools that it calls, in the style `tools`; a reply that calls one needs no text."""


class ConstraintStyle(StrEnum):
    """How a reply is restricted; also what an adapter's `capabilities` name."""

    GRAMMAR = "grammar"
    """`Thought: …`, a new line, `Action: ` and one of the choices."""
    JSON = "json"
    """An object with a text `thought` and an `action` that is one of the choices."""
    TOOLS = "tools"
    """A call of the tool `act` with such an object as its arguments."""


@dataclass(frozen=True, slots=True)
class Constraint:
    """Restricts a reply to a thought and one of some actions, by constrained decoding or as a tool."""

    style: ConstraintStyle
    choices: tuple[str, ...]

    def json_schema(self) -> dict[str, Any]:
        """The JSON Schema of a reply of style `json`, and of the arguments of one of style `tools`."""
        properties = {
            "thought": {"type": "string", "maxLength": THOUGHT_CHARACTERS},
            "action": {"type": "string", "enum": list(self.choices)},
        }
        return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}

    def gbnf(self) -> str:
        """The grammar of a reply of style `grammar`, in llama.cpp's notation."""
        actions = " | ".join(json.dumps(choice, ensure_ascii=False) for choice in self.choices)
        thought = f"[^\\n]{{1,{THOUGHT_CHARACTERS}}}"
        return f'root ::= "Thought: " {thought} "\\nAction: " action\naction ::= {actions}\n'


class ChatModel(ABC):
    """A chat model behind some provider, opened from a `ModelSpec` and used from one event loop.

    An adapter makes one try a call: retries, limits and the cache are `ModelClient`'s. `complete` raises
    `ModelFailure` for what the model caused, `TransientModelError` where another try may succeed, and
    `EndpointRefusedError` where none will.
    """

    capabilities: frozenset[ConstraintStyle] = frozenset()
    """The constraints that `complete` can impose."""
    supports_prefill: bool = False
    """Whether a last message of the assistant's is taken as the beginning of the reply: `complete` answers the rest."""

    @property
    def is_remote(self) -> bool:
        """Whether every worker may open its own from the spec, e.g. as it is only an address.

        One that holds a process or weights exists once, and workers ask through the coordinator.
        """
        return False

    def __init__(self, spec: ModelSpec) -> None:
        """Check the spec, keys included, so that a run fails before its first episode.

        Raises:
            UsageError: the spec cannot work, e.g. a key is missing.
        """
        self.spec = spec

    @abstractmethod
    async def complete(
        self, messages: Sequence[Message], *, seed: int | None = None, constraint: Constraint | None = None
    ) -> Completion:
        """Answer `messages`, within `constraint` where it is given; its style is among the capabilities."""

    @property
    def known_fingerprint(self) -> str | None:
        """The fingerprint, where it is known before the first reply, as it is of local weights."""
        return None

    @property
    def address(self) -> str:
        """Where requests go: models of one name at two addresses may differ."""
        return self.spec.base_url or ""

    @property
    @abstractmethod
    def fingerprint(self) -> str | None:
        """Identifies the weights or version, as far as the provider tells; None until it has answered."""

    @abstractmethod
    async def aclose(self) -> None:
        """Close connections."""

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
    """A tool call."""

    id: str
    name: str
    arguments: str
    """JSON text as the model wrote it; it may be invalid."""


class Message(TypedDict):
    """A chat message."""

    role: Literal["system", "user", "assistant", "tool"]
    content: str
    call: NotRequired[ToolCall]
    """The call that an assistant message makes, or that a tool message answers."""


@dataclass(frozen=True, slots=True)
class Completion:
    """A model's reply."""

    text: str
    usage: Usage
    finish_reason: FinishReason = "stop"
    calls: tuple[ToolCall, ...] = ()
    """Tool calls, in the style `tools`; a reply with a call needs no text."""
    reasoning: str = ""
    """Reasoning before the answer. It is not part of the answer or of later prompts, and it is not recorded."""

    @property
    def is_empty(self) -> bool:
        """Whether there is neither text nor a call, although the token limit was not reached."""
        return not (self.text.strip() or self.calls or self.finish_reason == "length")


@dataclass(frozen=True, slots=True)
class Embeddings:
    """Vectors of texts, in the order of the texts; all have the same length."""

    vectors: tuple[tuple[float, ...], ...]
    usage: Usage


class ConstraintStyle(StrEnum):
    """The ways to constrain a reply; the `capabilities` of a model name those that it offers."""

    GRAMMAR = "grammar"
    """`Thought: …`, a line break, `Action: ` and one of the choices."""
    JSON = "json"
    """A JSON object with a string `thought` and an `action` that is one of the choices."""
    TOOLS = "tools"
    """A call of the tool `act` with such an object as its arguments."""


STARTS = {ConstraintStyle.GRAMMAR: "Thought: ", ConstraintStyle.JSON: "{"}
"""Beginnings of constrained replies."""


@dataclass(frozen=True, slots=True)
class Constraint:
    """Restricts a reply to a thought and one of several actions, by constrained decoding or a tool call."""

    style: ConstraintStyle
    choices: tuple[str, ...]

    def admits(self, completion: Completion) -> bool:
        """Return whether a reply keeps to the constraint; one at its token limit, as far as its beginning tells."""
        if completion.finish_reason == "length":
            start = STARTS.get(self.style, "")
            return completion.text.lstrip()[: len(start)] == start[: len(completion.text.lstrip())]
        if self.style is ConstraintStyle.GRAMMAR:
            thought, _, action = completion.text.strip().rpartition("\nAction: ")
            return thought.startswith("Thought: ") and action in self.choices
        texts = [call["arguments"] for call in completion.calls if call["name"] == ACT_TOOL]
        try:
            (text,) = texts if self.style is ConstraintStyle.TOOLS else [completion.text]
            return json.loads(text)["action"] in self.choices
        except (ValueError, TypeError, LookupError, RecursionError):
            return False

    def json_schema(self) -> dict[str, Any]:
        """Return the JSON Schema of a reply in style `json`, and of the call's arguments in style `tools`."""
        properties = {
            "thought": {"type": "string", "maxLength": THOUGHT_CHARACTERS},
            "action": {"type": "string", "enum": list(self.choices)},
        }
        return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}

    def gbnf(self) -> str:
        """Return the grammar of a reply in style `grammar`, in llama.cpp's GBNF notation."""
        actions = " | ".join(json.dumps(choice, ensure_ascii=False) for choice in self.choices)
        thought = f"[^\\n]{{1,{THOUGHT_CHARACTERS}}}"
        return f'root ::= "Thought: " {thought} "\\nAction: " action\naction ::= {actions}\n'


class ChatModel(ABC):
    """A chat model of some provider, created from a `ModelSpec` and used from one event loop.

    `complete` makes one attempt: retries, limits and the cache belong to `ModelClient`. To write your own, implement
    `complete`, `fingerprint` and `aclose`, and run `ictbench.testing.check_model` on it; `embed` is optional.
    """

    capabilities: frozenset[ConstraintStyle] = frozenset()
    """The constraint styles that `complete` supports."""
    unsupported: frozenset[str] = frozenset()
    """Sampling fields of the spec that requests to this model cannot carry, e.g. `temperature`."""
    supports_prefill: bool = False
    """Whether a last message with the role `assistant` is the start of the reply, which `complete` continues."""

    def __init__(self, spec: ModelSpec) -> None:
        """Check the spec and the API key, so that a run fails before its first episode.

        Raises:
            UsageError: The spec cannot work, e.g. an API key is missing.
        """
        self.spec = spec

    @abstractmethod
    async def complete(
        self, messages: Sequence[Message], *, seed: int | None = None, constraint: Constraint | None = None
    ) -> Completion:
        """Request one completion, in one attempt.

        Args:
            messages: The conversation; it must not be modified.
            seed: Sampling seed, for models that take one.
            constraint: What the reply is restricted to; its style is one of `capabilities`.

        Raises:
            ModelFailure: The model caused the failure, e.g. an empty reply, a refusal or a context overflow.
            TransientModelError: Another attempt may succeed.
            EndpointRefusedError: No request to this endpoint can succeed.
        """

    async def complete_uncached(
        self, messages: Sequence[Message], *, seed: int | None = None, constraint: Constraint | None = None
    ) -> Completion:
        """Request one completion that no cache answers; a model that keeps replies overrides this. See `complete`."""
        return await self.complete(messages, seed=seed, constraint=constraint)

    @property
    def embeds(self) -> bool:
        """Whether `embed` is available, which is optional."""
        return False

    async def embed(self, texts: Sequence[str]) -> Embeddings:
        """Request the embeddings of texts, in one attempt.

        Args:
            texts: At least one.

        Raises:
            NotImplementedError: The model does not embed texts.
            ModelFailure: The model caused the failure.
            TransientModelError: Another attempt may succeed.
            EndpointRefusedError: No request to this endpoint can succeed.
        """
        raise NotImplementedError(f"{self.spec.name} does not embed texts")

    @property
    @abstractmethod
    def fingerprint(self) -> str | None:
        """Identifier of the weights or version, as far as the provider reports it; None before the first reply."""

    @property
    def known_fingerprint(self) -> str | None:
        """The fingerprint if it is known before the first reply, as with local weights."""
        return None

    @property
    def address(self) -> str:
        """Destination of requests; the same model name at two addresses may be two models."""
        return self.spec.base_url or ""

    @property
    def is_remote(self) -> bool:
        """Whether every worker process may create its own instance from the spec, e.g. a client of an HTTP endpoint.

        A model that holds a process or weights exists once; workers reach it through the coordinator.
        """
        return False

    @abstractmethod
    async def aclose(self) -> None:
        """Close connections; calling it again has no effect."""

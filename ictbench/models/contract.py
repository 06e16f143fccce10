"""The contract of a language model."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypedDict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ictbench.records import ModelSpec, Usage

FinishReason = Literal["stop", "length", "content_filter", "other"]


class Message(TypedDict):
    """One chat message."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class Completion:
    """A model's reply."""

    text: str
    usage: Usage
    finish_reason: FinishReason = "stop"


class ChatModel(ABC):
    """A chat model behind some provider, opened from a `ModelSpec` and used from one event loop.

    `complete` raises `ModelFailure` for what the model caused and `ModelUnavailableError` for what it did not.
    """

    def __init__(self, spec: ModelSpec) -> None:
        """Check the spec, keys included, so that a run fails before its first episode.

        Raises:
            UsageError: the spec cannot work, e.g. a key is missing.
        """
        self.spec = spec

    @abstractmethod
    async def complete(
        self, messages: Sequence[Message], *, seed: int | None = None, choices: Sequence[str] | None = None
    ) -> Completion:
        """Answer `messages`; `choices`, where the provider can, restricts the reply to one of them."""

    @property
    @abstractmethod
    def fingerprint(self) -> str | None:
        """Identifies the weights or version, as far as the provider tells; None until it has answered."""

    @abstractmethod
    async def aclose(self) -> None:
        """Close connections."""

"""Detection of servers that drop the oldest messages of a conversation longer than their context, without an error."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ictbench.errors import ModelFailure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ictbench.models.chat_model import Message
    from ictbench.records import Usage

DROPPING = ("fp_ollama",)
"""System fingerprints of servers that do so. https://github.com/ollama/ollama/issues/4967"""
GROWTH = 1.5
"""Factor by which a conversation grows in characters, while its reported tokens do not grow."""
TOLERANCE = 1.02
KIND_CHARACTERS = 200
"""Start of the first message that tells kinds of conversations apart, whose texts need different numbers of tokens."""


class DroppedMessages:
    """Compares the reported input tokens of conversations of one model with their lengths."""

    def __init__(self) -> None:
        self._largest: dict[str, tuple[int, int]] = {}
        """Characters and tokens of the conversation with the most tokens, by kind."""

    def check(self, fingerprint: str | None, messages: Sequence[Message], usage: Usage) -> None:
        """Check one request.

        Args:
            fingerprint: The model's fingerprint, which contains the server's.
            messages: The conversation.
            usage: The usage that the server reports.

        Raises:
            ModelFailure: The server has dropped a part of the conversation.
        """
        if not messages or not usage.input_tokens or not (fingerprint or "").endswith(DROPPING):
            return
        kind = messages[0]["content"][:KIND_CHARACTERS]
        characters = sum(len(message["content"]) for message in messages)
        known_characters, known_tokens = self._largest.get(kind, (0, 0))
        if usage.input_tokens > known_tokens * TOLERANCE:
            self._largest[kind] = characters, usage.input_tokens
        elif characters > known_characters * GROWTH:
            raise ModelFailure(
                "context_overflow",
                f"the server counts {usage.input_tokens} input tokens in {characters} characters, and {known_tokens} "
                f"in {known_characters}: it drops the oldest messages; serve the model with a longer context "
                "(OLLAMA_CONTEXT_LENGTH)",
                usage,
            )

"""Detection of servers that drop a part of a conversation longer than their context, without an error.

Ollama drops the oldest messages (https://github.com/ollama/ollama/issues/4967); others cut the start or the middle.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NoReturn

from ictbench.errors import ModelFailure

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ictbench.models.chat_model import Message
    from ictbench.records import Usage

DROPPING = ("fp_ollama",)
"""System fingerprints of servers that drop messages, whose requests are compared although they do not extend others."""
GROWTH = 1.5
"""Factor by which a request to such a server grows in characters, while its reported tokens do not grow."""
TOLERANCE = 1.02
KIND_CHARACTERS = 200
"""Start of the first message that tells kinds of requests apart, whose texts need different numbers of tokens."""

CONVERSATIONS = 512
"""Conversations that are remembered; an actor has fewer episodes in flight."""
MIN_GROWTHS = 2
"""Requests whose reported tokens have grown with the conversation before a later one is judged: the counts are real."""
WORD_TOKENS = 0.8
"""Least tokens of a new word. It has at least one; the rest is for line breaks that merge with what follows them."""
MIN_WORDS = 8
"""New words of a request that is judged."""
CACHED = 0.75
"""Share of the tokens of the request before. A count below it is not explained by a few dropped messages: the server
leaves tokens in its cache out of its counts, and these tell nothing."""


@dataclass(frozen=True, slots=True)
class _Request:
    messages: Sequence[Message]
    tokens: int
    least: float
    """Least number of its tokens, from its own count and from those of the requests before it."""
    growths: int = 0
    """Requests before it, in a row, whose tokens grew with the conversation."""


class DroppedMessages:
    """Compares the reported input tokens of a model's requests with their texts."""

    def __init__(self) -> None:
        self._largest: dict[str, tuple[int, int]] = {}
        """Characters and tokens of the request with the most tokens, by kind."""
        self._conversations: OrderedDict[int, _Request] = OrderedDict()
        """Last request of each conversation, by hash of its start and of the replies in it."""
        self._counts_leave_out_cached = False

    def check(self, fingerprint: str | None, messages: Sequence[Message], usage: Usage) -> None:
        """Check one request.

        Args:
            fingerprint: The model's fingerprint, which contains the server's.
            messages: The conversation.
            usage: The usage that the server reports.

        Raises:
            ModelFailure: The server has dropped a part of the conversation.
        """
        if not messages or not usage.input_tokens:
            return
        if not self._counts_leave_out_cached:
            self._check_growth(messages, usage)
        if (fingerprint or "").endswith(DROPPING):
            self._check_largest(messages, usage)

    def _check_growth(self, messages: Sequence[Message], usage: Usage) -> None:
        """Compare a request with the one that it extends by a reply and an observation, if there is one."""
        start = messages[0]["content"], messages[min(1, len(messages) - 1)]["content"][:KIND_CHARACTERS]
        replies = [(m["content"], m["call"]["arguments"] if "call" in m else "") for m in messages if _is_reply(m)]
        before = self._conversations.pop(hash((start, *replies[:-1])), None) if replies else None
        request = _Request(messages, usage.input_tokens, usage.input_tokens)
        self._conversations[hash((start, *replies))] = self._extend(before, request, usage) if before else request
        if len(self._conversations) > CONVERSATIONS:
            self._conversations.popitem(last=False)

    def _extend(self, before: _Request, request: _Request, usage: Usage) -> _Request:
        """Return a request with what the one before it tells about it.

        Raises:
            ModelFailure: It has fewer tokens than it must have.
        """
        growths = before.growths + 1
        if request.tokens >= before.least + len(request.messages[-1]["content"].split()):
            return replace(request, growths=growths)
        old, new = Counter(_shown(before.messages)), Counter(_shown(request.messages))
        # Most messages are the same in both.
        known, lines = _lines(old - new), _lines(new - old)
        words = sum(len(line.split()) for line in (lines - known).elements())
        # Actors leave lists of actions out of past turns. No tokenizer makes more tokens than UTF-8 bytes.
        left_out = sum(len(line.encode(errors="replace")) + 1 for line in (known - lines).elements())
        least = before.least + WORD_TOKENS * words - left_out
        if request.tokens >= least or words < MIN_WORDS:
            return replace(request, least=max(least, request.tokens), growths=growths)
        if request.tokens < CACHED * before.tokens:
            self._counts_leave_out_cached = True
        elif before.growths >= MIN_GROWTHS:
            _fail(usage, f"after {words} more words", f"{before.tokens} before them")
        return request

    def _check_largest(self, messages: Sequence[Message], usage: Usage) -> None:
        """Compare a request with the largest of its kind."""
        kind = messages[0]["content"][:KIND_CHARACTERS]
        characters = sum(len(message["content"]) for message in messages)
        known_characters, known_tokens = self._largest.get(kind, (0, 0))
        if usage.input_tokens > known_tokens * TOLERANCE:
            self._largest[kind] = characters, usage.input_tokens
        elif characters > known_characters * GROWTH:
            _fail(usage, f"in {characters} characters", f"{known_tokens} in {known_characters}")


def _is_reply(message: Message) -> bool:
    return message["role"] == "assistant"


def _shown(messages: Sequence[Message]) -> Iterator[str]:
    """Yield the texts that the model is shown, without its own, of which templates leave out parts."""
    return (message["content"] for message in messages if not _is_reply(message))


def _lines(texts: Counter[str]) -> Counter[str]:
    """Return the lines of texts that are not empty."""
    return Counter(line for text in texts.elements() for line in text.split("\n") if line.strip())


def _fail(usage: Usage, text: str, other: str) -> NoReturn:
    raise ModelFailure(
        "context_overflow",
        f"the server counts {usage.input_tokens} input tokens {text}, and {other}: it drops a part of the "
        "conversation; serve the model with a longer context (Ollama: OLLAMA_CONTEXT_LENGTH)",
        usage,
    )

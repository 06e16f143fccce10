from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ictbench.errors import ModelFailure
from ictbench.models.dropped_messages import DroppedMessages
from ictbench.records import Usage

if TYPE_CHECKING:
    from ictbench.models.chat_model import Message

OLLAMA = "qwen3:8b@fp_ollama"


def conversation(words: int, system: str = "Play.") -> list[Message]:
    return [{"role": "system", "content": system}, {"role": "user", "content": "door " * words}]


def usage(tokens: int) -> Usage:
    return Usage(calls=1, input_tokens=tokens)


def test_a_longer_conversation_with_the_same_tokens_is_a_context_overflow() -> None:
    dropped = DroppedMessages()
    dropped.check(OLLAMA, conversation(4000), usage(4090))
    dropped.check(OLLAMA, conversation(5000), usage(4090))
    with pytest.raises(ModelFailure, match=r"4090 input tokens in 35005 characters.*OLLAMA_CONTEXT_LENGTH") as caught:
        dropped.check(OLLAMA, conversation(7000), usage(4090))
    assert caught.value.kind == "context_overflow"
    assert caught.value.usage == usage(4090)


def test_other_servers_and_unknown_usage_are_not_judged() -> None:
    dropped = DroppedMessages()
    for fingerprint in ("gpt-4.1@fp_44709d6fcb", "model", None):
        for words in (10, 1000):
            dropped.check(fingerprint, conversation(words), usage(12))
    for words in (10, 1000):
        dropped.check(OLLAMA, conversation(words), usage(0))


def test_kinds_of_conversations_are_compared_among_themselves() -> None:
    dropped = DroppedMessages()
    dropped.check(OLLAMA, conversation(100, "Play."), usage(900))
    dropped.check(OLLAMA, conversation(900, "Reflect."), usage(900))


@given(st.lists(st.integers(min_value=1, max_value=3000), min_size=2, max_size=30), st.floats(0.7, 0.99))
def test_honest_counts_are_never_judged(lengths: list[int], tokens_per_word: float) -> None:
    dropped = DroppedMessages()
    for words in lengths:
        # Texts differ in their number of tokens, by a fifth or so.
        dropped.check(OLLAMA, conversation(words), usage(10 + round(words * (tokens_per_word if words % 2 else 0.85))))

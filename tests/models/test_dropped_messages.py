"""Detection of dropped messages, on conversations of the real actor and counts of simulated servers."""

from __future__ import annotations

import random
import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ictbench.actors import History
from ictbench.actors.react import render_messages
from ictbench.errors import ModelFailure
from ictbench.models.dropped_messages import DroppedMessages
from ictbench.records import Step, Usage

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

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


TOKEN = re.compile(r"\w{1,4}|[^\w\s]{1,3}|\n+")
ROWS = ("|.....|", "|..@..|", "|.%...|", "-------", "|...<.|")
ACTIONS = (("north", "south", "eat"), ("north", "south", "eat", "pickup"))


def episode(seed: int, decisions: int = 25) -> list[list[Message]]:
    """Return the requests of an episode on a map: actions, and with them past turns, change now and then."""
    rng = random.Random(seed)
    steps: list[Step] = []
    requests = []
    for _ in range(decisions):
        rows = "\n".join(" " * 35 + rng.choice(ROWS) for _ in range(5))
        observation = f"You see {rng.choice(['an apple', 'a robe', 'nothing'])} here.\n\n{rows}\nAgent St:16 Dlvl:1"
        actions = rng.choice(ACTIONS)
        requests.append(render_messages("You play.", History(steps, observation, actions, decisions)))
        thought = "I go on and look. " * rng.randrange(3)
        steps = [
            *steps,
            Step(observation=observation, actions=actions, digest="", thought=thought, proposed="eat", executed="eat"),
        ]
    return requests


def tokens(messages: Sequence[Message]) -> int:
    return sum(4 + len(TOKEN.findall(message["content"])) for message in messages)


def check_all(requests: Sequence[Sequence[Message]], count: Callable[[Sequence[Message]], int]) -> int | None:
    """Return the index of the first request that is judged; None if none is."""
    dropped = DroppedMessages()
    for index, messages in enumerate(requests):
        try:
            dropped.check("a model", messages, usage(count(messages)))
        except ModelFailure:
            return index
    return None


def without_oldest(messages: Sequence[Message], context: int) -> list[Message]:
    """Drop the oldest messages after the first one until the rest fits, as Ollama does."""
    kept = list(messages)
    while tokens(kept) > context and len(kept) > 2:
        del kept[1]
    return kept


@pytest.mark.parametrize("context", [400, 700, 1000])
def test_an_episode_whose_oldest_messages_are_dropped_is_noticed_within_a_few_decisions(context: int) -> None:
    delays = []
    for seed in range(100):
        requests = episode(seed)
        first = next(index for index, request in enumerate(requests) if tokens(request) > context)
        noticed = check_all(requests, lambda messages: tokens(without_oldest(messages, context)))
        assert noticed is not None
        delays.append(noticed - first)
    assert min(delays) == 0
    assert sum(delay <= 3 for delay in delays) >= 95


@given(st.integers(0, 10**6))
def test_complete_counts_are_never_judged_in_episodes(seed: int) -> None:
    interleaved = [request for pair in zip(episode(seed), episode(seed + 1), strict=True) for request in pair]
    assert check_all(interleaved, tokens) is None


@given(st.integers(0, 10**6), st.integers(1, 4))
def test_counts_without_cached_tokens_are_never_judged(seed: int, slots: int) -> None:
    """The server keeps the last requests in its slots, and evaluates what follows the longest common start."""
    interleaved = [request for three in zip(*(episode(seed + n) for n in range(3)), strict=True) for request in three]
    random.Random(seed).shuffle(interleaved)
    interleaved.sort(key=len)
    kept: list[str] = []

    def evaluated(messages: Sequence[Message]) -> int:
        text = "".join(f"<{message['role']}>{message['content']}" for message in messages)
        common = max((_common(text, other) for other in kept), default=0)
        kept.append(text)
        del kept[:-slots]
        return max(1, len(TOKEN.findall(text[common:])))

    assert check_all(interleaved, evaluated) is None


def _common(text: str, other: str) -> int:
    return next((n for n, (a, b) in enumerate(zip(text, other, strict=False)) if a != b), min(len(text), len(other)))


def test_a_constant_count_or_a_window_of_turns_is_never_judged() -> None:
    assert check_all(episode(1), lambda _: 1000) is None
    whole = episode(2)
    windows = [[request[0], *request[max(1, len(request) - 7) :]] for request in whole]
    assert check_all(windows, tokens) is None

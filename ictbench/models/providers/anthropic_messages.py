"""Anthropic's messages format: user and assistant alternate, the user first."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ictbench.models.token_counts import token_count
from ictbench.records import UNREPORTED, Usage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ictbench.models.chat_model import Message

Content = str | list[dict[str, Any]]

OPENING = "(begin)"
"""User message put first in a conversation that does not start with one, as Anthropic requires."""

# https://docs.anthropic.com/en/docs/build-with-claude/prompt-caching
CACHE_MARK = {"cache_control": {"type": "ephemeral"}}


def anthropic_messages(messages: Sequence[Message]) -> list[dict[str, Any]]:
    """Convert a conversation without its system messages.

    Everything up to the last message but one is marked for the prompt cache. The last message is the current
    situation, which later requests contain in another form.
    """
    turns: list[dict[str, Any]] = []
    conversation = [message for message in messages if message["role"] != "system"]
    if not conversation or conversation[0]["role"] != "user":
        conversation.insert(0, {"role": "user", "content": OPENING})
    for message in conversation:
        role, content = "assistant" if message["role"] == "assistant" else "user", _content(message)
        if turns and turns[-1]["role"] == role:
            turns[-1]["content"] = _join(turns[-1]["content"], content)
        else:
            turns.append({"role": role, "content": content})
    if len(turns) > 1:
        turns[-2]["content"] = _mark_for_cache(turns[-2]["content"])
    return turns


def _content(message: Message) -> Content:
    call = message.get("call")
    if call is None:
        return message["content"]
    if message["role"] == "tool":
        return [{"type": "tool_result", "tool_use_id": call["id"], "content": message["content"]}]
    tool_use = {"type": "tool_use", "id": call["id"], "name": call["name"], "input": json.loads(call["arguments"])}
    return [*_blocks(message["content"]), tool_use]


def _join(first: Content, second: Content) -> Content:
    if isinstance(first, str) and isinstance(second, str):
        return f"{first}\n\n{second}"
    return [*_blocks(first), *_blocks(second)]


def _mark_for_cache(content: Content) -> Content:
    blocks = _blocks(content)
    return [*blocks[:-1], {**blocks[-1], **CACHE_MARK}] if blocks else content


def _blocks(content: Content) -> list[dict[str, Any]]:
    """Return the content as blocks; blank text gives none, because Anthropic rejects it."""
    if isinstance(content, str):
        return [{"type": "text", "text": content}] if content.strip() else []
    return content


def parse_usage(reported: Any) -> Usage:
    """Return the usage; Anthropic's `input_tokens` do not include those read from and written to the prompt cache."""
    uncached, output_tokens = token_count(reported, "input_tokens"), token_count(reported, "output_tokens")
    read = token_count(reported, "cache_read_input_tokens") or 0
    written = token_count(reported, "cache_creation_input_tokens") or 0
    if uncached is None or output_tokens is None or not uncached + read + written:
        return UNREPORTED
    return Usage(
        calls=1,
        input_tokens=uncached + read + written,
        output_tokens=output_tokens,
        cached_tokens=read,
        cache_written_tokens=written,
        reasoning_tokens=min(token_count(reported, "output_tokens_details", "thinking_tokens") or 0, output_tokens),
        cost=None,
    )

"""A conversation in the words of Anthropic's messages: user and assistant by turns, the user first."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ictbench.models.chat_model import Message

OPENING = "(begin)"
"""Put first where a conversation does not start with the user, as Anthropic demands."""

# https://docs.anthropic.com/en/docs/build-with-claude/prompt-caching
CACHED = {"cache_control": {"type": "ephemeral"}}


def turns_of(messages: Sequence[Message]) -> list[dict[str, Any]]:
    """All but the system prompt; all but the last message are marked for the prompt cache.

    The last one is the situation at hand, which later requests show in another form.
    """
    turns: list[dict[str, Any]] = []
    said = [message for message in messages if message["role"] != "system"]
    if not said or said[0]["role"] != "user":
        said.insert(0, {"role": "user", "content": OPENING})
    for message in said:
        role, content = "assistant" if message["role"] == "assistant" else "user", _content(message)
        if turns and turns[-1]["role"] == role:
            turns[-1]["content"] = _joined(turns[-1]["content"], content)
        else:
            turns.append({"role": role, "content": content})
    if len(turns) > 1:
        turns[-2]["content"] = _marked(turns[-2]["content"])
    return turns


def _content(message: Message) -> str | list[dict[str, Any]]:
    call = message.get("call")
    if call is None:
        return message["content"]
    if message["role"] == "tool":
        return [{"type": "tool_result", "tool_use_id": call["id"], "content": message["content"]}]
    called = {"type": "tool_use", "id": call["id"], "name": call["name"], "input": json.loads(call["arguments"])}
    return [*_blocks(message["content"]), called]


def _joined(first: str | list[dict[str, Any]], second: str | list[dict[str, Any]]) -> str | list[dict[str, Any]]:
    if isinstance(first, str) and isinstance(second, str):
        return f"{first}\n\n{second}"
    return [*_blocks(first), *_blocks(second)]


def _marked(content: str | list[dict[str, Any]]) -> str | list[dict[str, Any]]:
    blocks = _blocks(content)
    return [*blocks[:-1], {**blocks[-1], **CACHED}] if blocks else content


def _blocks(content: str | list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Anthropic rejects blocks of blank text."""
    if isinstance(content, str):
        return [{"type": "text", "text": content}] if content.strip() else []
    return content

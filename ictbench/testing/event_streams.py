"""Replies as streams of server-sent events, in OpenAI's and Anthropic's formats."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

PIECE_CHARACTERS = 12
"""Length of the pieces in which a text is sent."""
DONE = "data: [DONE]\n\n"


def openai_events(completion: dict[str, Any], *, include_usage: bool) -> list[str]:
    """Return a chat completion as chunks, each of which adds a piece of the message, and the final `[DONE]`.

    Fields that are not part of the message are repeated in every chunk. Only the last chunk, which has no choices,
    contains the usage, and only if the request asks for it.
    """
    common = {name: value for name, value in completion.items() if name not in {"choices", "usage"}}
    common["object"] = "chat.completion.chunk"
    chunks = [
        {**common, "choices": [chunk]} for choice in completion.get("choices") or () for chunk in _choice_chunks(choice)
    ]
    if include_usage and "usage" in completion:
        chunks.append({**common, "choices": [], "usage": completion["usage"]})
    return [*map(data_event, chunks), DONE]


def anthropic_events(message: dict[str, Any]) -> list[str]:
    """Return a message as the events from `message_start` to `message_stop`."""
    usage = message["usage"]
    start = {**message, "content": [], "stop_reason": None, "usage": {**usage, "output_tokens": 1}}
    events: list[tuple[str, dict[str, Any]]] = [("message_start", {"message": start})]
    for index, block in enumerate(message["content"] or ()):
        empty, deltas = _block_deltas(block)
        events.append(("content_block_start", {"index": index, "content_block": empty}))
        events += (("content_block_delta", {"index": index, "delta": delta}) for delta in deltas)
        events.append(("content_block_stop", {"index": index}))
    stop = {name: message[name] for name in ("stop_reason", "stop_sequence")}
    events += [("message_delta", {"delta": stop, "usage": {"output_tokens": usage["output_tokens"]}})]
    events += [("message_stop", {})]
    return [f"event: {name}\n{data_event({'type': name, **data})}" for name, data in events]


def data_event(data: Any) -> str:
    """Return an event that carries a JSON value."""
    return f"data: {json.dumps(data, ensure_ascii=False)}\n\n"


def _choice_chunks(choice: dict[str, Any]) -> Iterator[dict[str, Any]]:
    message = dict(choice["message"])
    calls = message.pop("tool_calls", None) or ()
    content = message.pop("content", None)
    reasoning = {name: message.pop(name) for name in ("reasoning_content", "reasoning") if name in message}
    common = {"index": choice["index"], "finish_reason": None}
    yield {**common, "delta": {"content": "", **message}}
    for name, text in (*reasoning.items(), ("content", content)):
        for piece in _pieces(text):
            yield {**common, "delta": {name: piece}}
    for index, call in enumerate(calls):
        function = call["function"]
        named = {**call, "index": index, "function": {**function, "arguments": ""}}
        yield {**common, "delta": {"tool_calls": [named]}}
        for piece in _pieces(function["arguments"]):
            yield {**common, "delta": {"tool_calls": [{"index": index, "function": {"arguments": piece}}]}}
    yield {**{name: value for name, value in choice.items() if name != "message"}, "delta": {}}


def _block_deltas(block: dict[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return an empty block, and the deltas that fill it."""
    match block["type"]:
        case "text":
            return {**block, "text": ""}, [{"type": "text_delta", "text": piece} for piece in _pieces(block["text"])]
        case "thinking":
            pieces = [{"type": "thinking_delta", "thinking": piece} for piece in _pieces(block["thinking"])]
            signature = {"type": "signature_delta", "signature": block["signature"]}
            return {**block, "thinking": "", "signature": ""}, [*pieces, signature]
    arguments = json.dumps(block["input"], ensure_ascii=False)
    pieces = [{"type": "input_json_delta", "partial_json": piece} for piece in _pieces(arguments)]
    return {**block, "input": {}}, pieces


def _pieces(content: Any) -> list[Any]:
    """Return a text in pieces; content parts one by one, each in a list of its own."""
    if isinstance(content, list):
        return [[part] for part in content]
    text = content or ""
    return [text[start : start + PIECE_CHARACTERS] for start in range(0, len(text), PIECE_CHARACTERS)]

"""Memories of a learner as readable text, in compressed chunks, and the index by which a page finds one."""

from __future__ import annotations

import json
from itertools import islice
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pydantic import JsonValue

    from ictbench.records import Memory
    from ictbench.web.chunks import ChunkAdder

CHUNK_SIZE = 16
"""Memories per chunk. Those of consecutive turns share most of their text, so they compress well together."""

MAX_CHARACTERS = 40_000
"""Maximum characters of a memory that a page shows; `memories.jsonl.gz` has all of them."""

NUMBERS_SHOWN = 4
"""Numbers shown of a list that has only numbers, as an embedding."""


def pack_memories(memories: Iterable[Memory], chunks: ChunkAdder, run: int) -> dict[str, Any]:
    """Add memories to the chunks of a page.

    Args:
        memories: Different memories of one run, in the order of its turns.
        chunks: The chunks of the page; those added have the ids `memory-<run>-<number>`.
        run: Position of the run in the page.

    Returns:
        The index: the digests of the memories.
    """
    index: dict[str, Any] = {"chunk_size": CHUNK_SIZE, "keys": []}
    remaining = iter(memories)
    number = 0
    while batch := list(islice(remaining, CHUNK_SIZE)):
        index["keys"] += [memory.digest for memory in batch]
        chunks.add(f"memory-{run}-{number}", [_memory_json(memory.value) for memory in batch])
        number += 1
    return index


def _memory_json(value: JsonValue) -> dict[str, Any]:
    text, is_whole = readable(value)
    return {"text": text, "whole": is_whole}


def readable(value: JsonValue, limit: int = MAX_CHARACTERS) -> tuple[str, bool]:
    """Return plain JSON as indented lines without quotes, and whether all of it is there."""
    lines: list[str] = []
    size = -1
    for line in _lines(value):
        lines.append(line)
        size += len(line) + 1
        if size > limit:
            return "\n".join(lines)[:limit], False
    return "\n".join(lines), True


def _lines(value: JsonValue, indent: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _item(f"{indent}{name}:", inner, indent)
    elif isinstance(value, list):
        for inner in value:
            yield from _item(f"{indent}-", inner, indent)
    else:
        yield from (f"{indent}{line}" for line in _plain(value).split("\n"))


def _item(head: str, value: JsonValue, indent: str) -> Iterator[str]:
    """Yield an item of a list or an object: on the line of its head, or below it where it needs several."""
    text = _plain(value)
    if text and "\n" not in text:
        yield f"{head} {text}"
        return
    yield head
    if value not in ("", [], {}):
        yield from _lines(value, f"{indent}  ")


def _plain(value: JsonValue) -> str:
    """Return the text of a value; empty for a list or an object that needs lines of its own."""
    match value:
        case str():
            return value
        case dict() if value:
            return ""
        case list() if value:
            if not all(isinstance(number, int | float) and not isinstance(number, bool) for number in value):
                return ""
            more = f", … ({len(value):,} numbers)" if len(value) > NUMBERS_SHOWN else ""
            return ", ".join(json.dumps(number) for number in value[:NUMBERS_SHOWN]) + more
    return json.dumps(value)

"""Checks of what a reflector keeps from one turn to the next, before the journal records it."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

from pydantic_core import from_json

from ictbench.errors import PluginError, SubmissionError
from ictbench.records import MEMORY_BYTES, MEMORY_VALUES
from ictbench.safe_read import parse_json

if TYPE_CHECKING:
    from pydantic import JsonValue

    from ictbench.records import Division, Memory, Reflection


def checked_reflection(place: str, reflection: Reflection, division: Division) -> Reflection:
    """Return a reflection whose state and memory are copies, equal to what the journal will hold.

    Args:
        place: Name of the reflector, and the turn.
        reflection: Its answer.
        division: Its division.

    Raises:
        PluginError: State or memory is not plain JSON, the memory is too large, or the division has none.
    """
    if reflection.memory is not None and division != "memory":
        raise PluginError(f'{place}: it returned a memory; set `division = "memory"` in its class')
    state, _ = _plain(place, "state", reflection.state)
    memory, size = _plain(place, "memory", reflection.memory)
    if size > MEMORY_BYTES:
        raise PluginError(
            f"{place}: its memory has {size:,} bytes, of at most {MEMORY_BYTES:,}; keep less of the episodes"
        )
    if memory is not None:
        _check_readable(place, memory)
    return reflection.model_copy(update={"state": state, "memory": memory})


def _check_readable(place: str, memory: JsonValue) -> None:
    """Check that a verifier reads the memory: its limits on untrusted files are narrower than those of JSON.

    Raises:
        PluginError: It is nested too deeply, or holds too many values or a number that is too large.
    """
    try:
        parse_json(json.dumps({"value": memory}).encode(), "its memory", MEMORY_VALUES)
    except SubmissionError as error:
        raise PluginError(f"{place}: {error}") from None


def copied(memory: Memory) -> Memory:
    """Return a copy of a memory for a reflector, which may change it."""
    return memory if memory.value is None else memory.model_copy(update={"value": copy.deepcopy(memory.value)})


def _plain(place: str, name: str, value: JsonValue) -> tuple[JsonValue, int]:
    """Return a value as it is after a restart, and the size of its JSON in UTF-8 bytes."""
    try:
        # Sorted keys: memories of equal digest are equal in their order, too, on which `recall` may depend.
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False, sort_keys=name == "memory")
        # As deeply nested as in the record of the reflection: parsers limit the depth.
        kept: Any = from_json(f"[{text}]")[0]
        size = len(text.encode())
    except (TypeError, ValueError, RecursionError) as error:
        raise PluginError(f"{place}: its {name} is not plain JSON: {error}") from None
    if kept != value:
        raise PluginError(f"{place}: its {name} is not plain JSON: {value!r:.80} changes when it is written")
    return kept, size

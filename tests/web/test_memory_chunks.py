from __future__ import annotations

import base64
import io
import json
import re
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ictbench.records import Memory
from ictbench.web.chunks import Chunks
from ictbench.web.memory_chunks import CHUNK_SIZE, MAX_CHARACTERS, pack_memories, readable

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=30,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("one\ntwo", "one\ntwo"),
        (["a", "b"], "- a\n- b"),
        ({"rules": ["Walk.", "Two\nlines."], "votes": 3}, "rules:\n  - Walk.\n  -\n    Two\n    lines.\nvotes: 3"),
        ({"a": {"b": None}, "c": [], "d": {}}, "a:\n  b: null\nc: []\nd: {}"),
        ({"embedding": [0.5] * 1536}, "embedding: 0.5, 0.5, 0.5, 0.5, … (1,536 numbers)"),
        ({"ids": [1, 2]}, "ids: 1, 2"),
        ([[["deep"]]], "-\n  -\n    - deep"),
        ({"empty": ""}, "empty:"),
        ([True, False], "- true\n- false"),
        (0, "0"),
    ],
)
def test_a_memory_is_shown_as_indented_lines(value: Any, text: str) -> None:
    assert readable(value) == (text, True)


def test_a_long_memory_is_cut_and_says_so() -> None:
    text, is_whole = readable({"lines": ["x" * 99] * 1000})
    assert (len(text) <= MAX_CHARACTERS, is_whole) == (True, False)
    assert len(text) > MAX_CHARACTERS - 200
    assert readable("x" * 300_000)[1] is False


@given(JSON, st.integers(1, 60))
def test_the_beginning_of_a_memory_is_the_beginning_of_its_text(value: Any, limit: int) -> None:
    whole, is_whole = readable(value)
    cut, fits = readable(value, limit)
    assert is_whole
    assert whole.startswith(cut)
    assert fits == (cut == whole)
    assert len(cut) <= limit


def test_the_index_locates_every_memory() -> None:
    memories = [Memory.of([f"memory {number}"]) for number in range(CHUNK_SIZE + 3)]
    file = io.StringIO()
    index = pack_memories(memories, Chunks(file), 2)
    assert index == {"chunk_size": CHUNK_SIZE, "keys": [memory.digest for memory in memories]}
    chunks = re.findall(r'id="memory-2-(\d+)">([^<]*)</script>', file.getvalue())
    entries = [entry for _, text in chunks for entry in json.loads(zlib.decompress(base64.b64decode(text)))]
    assert [number for number, _ in chunks] == ["0", "1"]
    assert entries == [{"text": f"- memory {number}", "whole": True} for number in range(len(memories))]

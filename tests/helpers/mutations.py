"""Arbitrary changes of plain JSON, for property tests with hypothesis."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

positions = st.lists(st.integers(0, 10**6), min_size=1, max_size=8)
"""Places in a JSON document, as `replace_value` reads them."""

values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**19), 10**19),
    st.integers(-(10**15), 10**15),
    st.sampled_from([-1, 0, 1, 2, 1e15, -1e15, 0.5]),
    st.floats(),
    st.text(max_size=5),
    st.just([]),
    st.just({}),
    st.just({"0": "1"}),
    st.just([[]]),
)


def replace_value(value: Any, position: list[int], new: Any) -> Any:
    """Replace the value at a position in plain JSON and return the document."""
    if not position or not isinstance(value, dict | list) or not value:
        return new
    keys = sorted(value) if isinstance(value, dict) else range(len(value))
    key = keys[position[0] % len(keys)]
    value[key] = replace_value(value[key], position[1:], new)
    return value

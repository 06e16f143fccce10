from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from ictbench.audit.json_diff import ABSENT, differences, format_place

EXACT = st.none() | st.booleans() | st.integers() | st.text(max_size=3)


def json_of(leaves: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    return st.recursive(
        leaves,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3),
        max_leaves=8,
    )


@given(json_of(EXACT | st.floats(allow_nan=False)))
def test_value_does_not_differ_from_itself(value: object) -> None:
    assert list(differences(value, value)) == []


@given(json_of(EXACT), json_of(EXACT))
def test_unequal_values_differ_somewhere(claimed: object, expected: object) -> None:
    assert bool(list(differences(claimed, expected))) == (
        json.dumps(claimed, sort_keys=True) != json.dumps(expected, sort_keys=True)
    )


def test_difference_has_its_place_and_both_values() -> None:
    claimed = {"loops": [{"best": 1, "index": 0}], "extra": True, "mean": 0.5}
    expected = {"loops": [{"best": 2, "index": 0}, {"best": 0}], "mean": 0.5 + 1e-12}
    assert [(format_place(place), value, other) for place, value, other in differences(claimed, expected)] == [
        ("loops[0].best", 1, 2),
        ("loops[1]", ABSENT, {"best": 0}),
        ("extra", True, ABSENT),
    ]


def test_integer_differs_from_boolean_and_from_float() -> None:
    assert list(differences([1, 1], [True, 1.0])) == [((0,), 1, True), ((1,), 1, 1.0)]


def test_a_value_that_is_missing_reads_as_nothing() -> None:
    ((place, claimed, expected),) = differences({"a": 1, "b": 2}, {"a": 1})
    assert (place, claimed, repr(expected)) == (("b",), 2, "nothing")

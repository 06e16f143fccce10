from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from ictbench.audit.json_diff import ABSENT, differences, in_words

exact = st.none() | st.booleans() | st.integers() | st.text(max_size=3)


def json_of(leaves: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    return st.recursive(
        leaves,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3),
        max_leaves=8,
    )


@given(json_of(exact | st.floats(allow_nan=False)))
def test_nothing_differs_from_itself(value: object) -> None:
    assert list(differences(value, value)) == []


@given(json_of(exact), json_of(exact))
def test_what_is_not_equal_differs_somewhere(one: object, other: object) -> None:
    assert bool(list(differences(one, other))) == (json.dumps(one, sort_keys=True) != json.dumps(other, sort_keys=True))


def test_each_difference_is_told_with_its_place_and_both_values() -> None:
    claimed = {"loops": [{"best": 1, "index": 0}], "extra": True, "mean": 0.5}
    expected = {"loops": [{"best": 2, "index": 0}, {"best": 0}], "mean": 0.5 + 1e-12}
    assert [(in_words(place), value, wanted) for place, value, wanted in differences(claimed, expected)] == [
        ("loops[0].best", 1, 2),
        ("loops[1]", ABSENT, {"best": 0}),
        ("extra", True, ABSENT),
    ]


def test_a_number_is_no_truth_value_and_a_float_no_integer() -> None:
    assert list(differences([1, 1], [True, 1.0])) == [((0,), 1, True), ((1,), 1, 1.0)]

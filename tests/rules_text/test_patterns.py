from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ictbench.rules_text.patterns import argument_words, matches, pattern_of

LINE = frozenset({"put", "plim", "dask"})


@pytest.mark.parametrize(
    ("pattern", "action", "expected"),
    [
        ("ponder", "ponder", True),
        ("ponder", "ponder more", True),
        ("ponder", "pond", False),
        ("ponder more", "ponder", False),
        ("walk to …", "walk to dask 1", True),
        ("walk to …", "walk to", False),
        ("drop … on …", "drop red plim 1 on dask 1", True),
        ("drop … on …", "drop red plim 1", False),
        ("drop <named> on <named>", "drop red plim 1 on dask 1", True),
        ("drop <named> on <other>", "drop plim 1 on dask 1", False),
        ("drop <named> on <other>", "drop plim 1 on shelf 1", True),
        ("drop <other> on …", "drop vump 1 on shelf 1", True),
        ("… on …", "drop vump 1 on shelf 1", True),
        ("drop <other> on …", "drop PLIM 1 on shelf 1", False),
        ("wash or ponder", "ponder more", True),
        ("wash or drop <named> on …", "drop plim 1 on shelf 1", True),
        ("wash or drop <named> on …", "drop vump 1 on shelf 1", False),
        ("", "ponder", False),
        ("…", "", False),
    ],
)
def test_placeholders_stand_for_words(pattern: str, action: str, *, expected: bool) -> None:
    assert matches(pattern, action, LINE) == expected


def test_a_pattern_with_many_placeholders_is_decided_at_once() -> None:
    assert not matches("… " * 20 + "end", "step " * 40 + "on", LINE)
    assert matches("… " * 20 + "end", "step " * 40 + "end", LINE)


ACTIONS = ("grab plim 1 off shelf 1", "grab vump 2 off dask 1", "rinse plim 1 in font 1", "walk to dask 1", "ponder")


def test_words_that_tell_actions_apart_are_arguments() -> None:
    assert argument_words(ACTIONS) == {"plim", "vump", "1", "2", "shelf", "dask"} - {"1"}
    assert argument_words([]) == frozenset()


@pytest.mark.parametrize(
    ("action", "pattern"),
    [
        ("grab plim 1 off shelf 1", "grab … off …"),
        ("rinse plim 1 in font 1", "rinse … in …"),
        ("walk to dask 1", "walk to …"),
        ("ponder", "ponder"),
        ("eye vump", "eye …"),
        ("", ""),
    ],
)
def test_the_pattern_of_an_action_has_its_arguments_replaced(action: str, pattern: str) -> None:
    assert pattern_of(action, argument_words(ACTIONS)) == pattern


WORDS = st.lists(st.sampled_from(["grab", "plim", "on", "1", "dask"]), min_size=1, max_size=6).map(" ".join)


@given(WORDS, st.frozensets(st.sampled_from(["plim", "dask", "on"])))
def test_the_pattern_of_an_action_matches_it(action: str, arguments: frozenset[str]) -> None:
    assert matches(pattern_of(action, arguments), action, LINE)

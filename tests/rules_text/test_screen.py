from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ictbench.rules_text.screen import (
    contains_phrase,
    count_symbols,
    entered_symbol,
    find_symbol,
    player_symbol,
    prose_lines,
    symbol_at,
)
from ictbench.suites import load_suite

PROMPT = load_suite("minihack-v1").prompt

grids = st.lists(st.text(".#@%a", max_size=8), min_size=1, max_size=6).map("\n".join)


def test_the_prompt_says_which_symbol_is_the_player() -> None:
    assert player_symbol(PROMPT) == "@"
    assert player_symbol('You are the "&" here.') == "&"
    assert player_symbol("You are the one.") is None


def test_prose_lines_are_the_distinct_lines_with_words() -> None:
    text = "You see  here an apple.\n\n  ..a.@\n....\nYou see here an apple.\nHP:12(12)\n a b c 1 2\n"
    assert prose_lines(text) == ("You see here an apple.", "HP:12(12)")


def test_a_phrase_is_found_as_whole_words_of_one_line() -> None:
    text = "You see here an apple.\n%....\nIt is   dark."
    for phrase in ("You see here", "an apple.", "It is dark."):
        assert contains_phrase(text, phrase)
    for phrase in ("an app", "ou see", "apple", "apple. It", "you see", "%...."):
        assert not contains_phrase(text, phrase)


def test_symbols_are_found_on_the_map_and_not_in_prose() -> None:
    text = "Walk @ once.\n\n..@\n@.a\nStatus: @ 3"
    assert find_symbol(text, "@") == ((-3, 2), (-2, 0))
    assert find_symbol(text, "a") == ((-2, 2),)
    assert find_symbol(text, "%") == ()
    assert count_symbols(text) == {".": 3, "@": 2, "a": 1}


@given(grids, st.sampled_from(".#@%a"))
def test_all_positions_of_a_symbol_are_found(grid: str, symbol: str) -> None:
    positions = find_symbol(grid, symbol)
    assert all(symbol_at(grid, position) == symbol for position in positions)
    map_lines = [line for line in grid.splitlines() if "aa" not in line]
    assert len(positions) == sum(line.count(symbol) for line in map_lines) == count_symbols(grid)[symbol]


@given(grids, st.sampled_from(".#@%a"), st.lists(st.sampled_from(["Hello there.", "", "It bites!"]), max_size=3))
def test_lines_above_the_map_do_not_change_positions(grid: str, symbol: str, above: list[str]) -> None:
    assert find_symbol("\n".join([*above, grid]), symbol) == find_symbol(grid, symbol)


def test_outside_the_text_there_are_spaces() -> None:
    text = "..@\n."
    assert symbol_at(text, (-2, 2)) == "@"
    for position in ((-1, 1), (-1, 50), (-2, 3), (-3, 0)):
        assert symbol_at(text, position) == " "


@pytest.mark.parametrize(
    ("before", "after", "symbol"),
    [("&o.", ".&.", "o"), ("&o.", "&o.", None), ("&", "..&", " "), ("..", ".&", None), ("&.", "..", None)],
)
def test_the_entered_symbol_is_what_the_player_moved_onto(before: str, after: str, symbol: str | None) -> None:
    assert entered_symbol(before, after, "&") == symbol

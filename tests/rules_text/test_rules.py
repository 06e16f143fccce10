from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ictbench.rules_text.rules import (
    HEADING,
    Choose,
    Rule,
    Walk,
    holds,
    places,
    player_symbol,
    prose,
    read_rules,
    symbol_at,
)
from ictbench.suites import load_suite

PROMPT = load_suite("minihack-v1").prompt

quotable = st.text(st.characters(codec="utf-8", exclude_characters='"\n'), min_size=1)
rules = st.builds(Walk, st.characters(codec="utf-8", exclude_characters="\n")) | st.builds(
    Choose, phrase=quotable, action=quotable, later=st.booleans()
)
grids = st.lists(st.text(".#@%a", max_size=8), min_size=1, max_size=6).map("\n".join)


@given(st.lists(rules))
def test_rules_are_read_as_they_were_written_in_their_order(written: list[Rule]) -> None:
    prompt = "\n".join([PROMPT, "", HEADING, *(f"- {rule}" for rule in written)])
    assert read_rules(prompt) == tuple(written)


def test_rules_read_as_english() -> None:
    assert str(Walk("%")) == 'Walk onto "%".'
    assert str(Choose("an apple", "eat")) == 'When you see "an apple", choose "eat".'
    assert str(Choose("a door", "knock", later=True)) == 'After you have seen "a door", choose "knock".'


def test_rules_are_found_in_a_persons_own_sentences() -> None:
    prompt = 'Hurry! Walk onto "<", then rest. When you see "too late", choose "step n" or so. "When" is no rule.'
    assert read_rules(prompt) == (Walk("<"), Choose("too late", "step n"))


@pytest.mark.parametrize(
    "prompt", [PROMPT, "", 'Walk onto "ab".', 'When you see "", choose "eat".', 'When you see "a\nb", choose "eat".']
)
def test_other_text_holds_no_rules(prompt: str) -> None:
    assert read_rules(prompt) == ()


def test_the_prompt_says_which_symbol_the_player_is() -> None:
    assert player_symbol(PROMPT) == "@"
    assert player_symbol('You are the "&" here.') == "&"
    assert player_symbol("You are the one.") is None


def test_prose_is_the_lines_with_words_each_once_and_without_spare_space() -> None:
    text = "You see  here an apple.\n\n  ..a.@\n....\nYou see here an apple.\nHP:12(12)\n a b c 1 2\n"
    assert prose(text) == ("You see here an apple.", "HP:12(12)")


def test_a_phrase_is_held_as_whole_words_of_one_line() -> None:
    text = "You see here an apple.\n%....\nIt is   dark."
    for phrase in ("You see here", "an apple.", "It is dark."):
        assert holds(text, phrase)
    for phrase in ("an app", "ou see", "apple", "apple. It", "you see", "%...."):
        assert not holds(text, phrase)


def test_symbols_are_found_in_the_grid_and_not_in_prose() -> None:
    text = "Walk @ once.\n\n..@\n@.a\nStatus: @ 3"
    assert places(text, "@") == ((-3, 2), (-2, 0))
    assert places(text, "a") == ((-2, 2),)
    assert places(text, "%") == ()


@given(grids, st.sampled_from(".#@%a"))
def test_places_are_where_the_symbol_stands(grid: str, symbol: str) -> None:
    found = places(grid, symbol)
    assert all(symbol_at(grid, place) == symbol for place in found)
    without_words = [line for line in grid.splitlines() if "aa" not in line]
    assert len(found) == sum(line.count(symbol) for line in without_words)


@given(grids, st.sampled_from(".#@%a"), st.lists(st.sampled_from(["Hello there.", "", "It bites!"]), max_size=3))
def test_lines_put_on_top_move_nothing(grid: str, symbol: str, above: list[str]) -> None:
    assert places("\n".join([*above, grid]), symbol) == places(grid, symbol)


def test_outside_the_grid_there_is_nothing() -> None:
    text = "..@\n."
    assert symbol_at(text, (-2, 2)) == "@"
    for place in ((-1, 1), (-1, 50), (-2, 3), (-3, 0)):
        assert symbol_at(text, place) == " "

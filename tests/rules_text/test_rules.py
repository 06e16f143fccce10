from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ictbench.rules_text.rules import HEADING, Choose, Rule, Walk, action_kind, parse_rules
from ictbench.suites import load_suite

PROMPT = load_suite("minihack-v1").prompt

quotable = st.text(st.characters(codec="utf-8", exclude_characters='"\n'), min_size=1)
rules = st.builds(Walk, st.characters(codec="utf-8", exclude_characters="\n")) | st.builds(
    Choose, phrase=quotable, action=quotable, later=st.booleans()
)


@given(st.lists(rules))
def test_written_rules_are_parsed_back_in_their_order(written: list[Rule]) -> None:
    prompt = "\n".join([PROMPT, "", HEADING, *(f"- {rule}" for rule in written)])
    assert parse_rules(prompt) == tuple(written)


def test_rules_read_as_english() -> None:
    assert str(Walk("%")) == 'Walk onto "%".'
    assert str(Choose("an apple", "eat")) == 'When you see "an apple", choose "eat".'
    assert str(Choose("a door", "knock", later=True)) == 'After you have seen "a door", choose "knock".'


def test_rules_are_found_inside_other_sentences() -> None:
    prompt = 'Hurry! Walk onto "<", then rest. When you see "too late", choose "step n" or so. "When" is no rule.'
    assert parse_rules(prompt) == (Walk("<"), Choose("too late", "step n"))


@pytest.mark.parametrize(
    "prompt", [PROMPT, "", 'Walk onto "ab".', 'When you see "", choose "eat".', 'When you see "a\nb", choose "eat".']
)
def test_text_without_rules_gives_no_rules(prompt: str) -> None:
    assert parse_rules(prompt) == ()


def test_the_kind_of_an_action_is_its_first_word() -> None:
    assert [action_kind(action) for action in ("step n", " pickup ", "", " ")] == ["step", "pickup", "", ""]

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ictbench.rules_text.rules import HEADING, Act, Before, Choose, Hold, Line, Rule, Walk, action_kind, parse_rules
from ictbench.suites import load_suite

PROMPT = load_suite("minihack-v1").prompt

quotable = st.text(st.characters(codec="utf-8", exclude_characters='"\n'), min_size=1)
maybe = st.just("") | quotable
rules = (
    st.builds(Walk, st.characters(codec="utf-8", exclude_characters="\n"))
    | st.builds(Choose, phrase=quotable, action=quotable, later=st.booleans())
    | st.builds(Line, quotable)
    | st.builds(Hold, quotable, quotable)
    | st.builds(Act, quotable, maybe, st.sampled_from(["", "something", "nothing"]), maybe)
    | st.builds(Before, maybe, quotable, quotable, maybe)
)


@given(st.lists(rules))
def test_written_rules_are_parsed_back_in_their_order(written: list[Rule]) -> None:
    prompt = "\n".join([PROMPT, "", HEADING, *(f"- {rule}" for rule in written)])
    assert parse_rules(prompt) == tuple(written)


def test_rules_read_as_english() -> None:
    assert str(Walk("%")) == 'Walk onto "%".'
    assert str(Choose("an apple", "eat")) == 'When you see "an apple", choose "eat".'
    assert str(Choose("a door", "knock", later=True)) == 'After you have seen "a door", choose "knock".'
    assert str(Line("Your wish is:")) == 'The line "Your wish is:" says what matters.'
    assert str(Hold("grab …", "drop …")) == 'You hold something from "grab …" to "drop …".'
    assert str(Act("eye …")) == 'Choose "eye …".'
    assert str(Act("eye …", "red", "nothing")) == 'When the line names "red" and you hold nothing, choose "eye …".'
    assert str(Act("walk …", offered="grab …")) == 'Choose "walk …" where "grab …" was offered.'
    assert str(Before("", "scorch", "drop")) == 'Do "scorch" before "drop".'
    order = Before("hot", "scorch …", "drop …", "walk to hearth …")
    assert str(order) == 'If the line names "hot", do "scorch …" before "drop …"; look for it by "walk to hearth …".'


def test_rules_are_found_inside_other_sentences() -> None:
    prompt = 'Hurry! Walk onto "<", then rest. When you see "too late", choose "step n" or so. "When" is no rule.'
    assert parse_rules(prompt) == (Walk("<"), Choose("too late", "step n"))


@pytest.mark.parametrize(
    "prompt",
    [
        PROMPT,
        "",
        'Walk onto "ab".',
        'When you see "", choose "eat".',
        'When you see "a\nb", choose "eat".',
        'When, choose "a".',
    ],
)
def test_text_without_rules_gives_no_rules(prompt: str) -> None:
    assert parse_rules(prompt) == ()


def test_the_kind_of_an_action_is_its_first_word() -> None:
    assert [action_kind(action) for action in ("step n", " pickup ", "", " ")] == ["step", "pickup", "", ""]

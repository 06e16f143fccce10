from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ictbench.visible_text import joined_lines, one_line, visible


@given(st.text())
def test_any_text_becomes_one_line(text: str) -> None:
    assert one_line(text).isprintable()
    assert len(one_line(text)) == len(text)


@given(st.text())
def test_only_line_feeds_and_tabs_stay_of_the_controls(text: str) -> None:
    assert visible(text).replace("\n", "").replace("\t", "").isprintable()
    assert visible(visible(text)) == visible(text)


def test_texts_without_controls_stay() -> None:
    assert visible("a\tb\r\nc – é\n") == "a\tb\nc – é\n"
    assert visible("\x1b]52;c;aGk=\x07") == "\N{REPLACEMENT CHARACTER}]52;c;aGk=\N{REPLACEMENT CHARACTER}"


def test_lines_are_joined_and_spaces_within_them_stay() -> None:
    assert joined_lines("cannot open\n  'my  run'\n\n") == "cannot open 'my  run'"

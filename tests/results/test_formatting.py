from __future__ import annotations

import re
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from ictbench.results.formatting import code_span, markdown_table, markdown_text, p_value, signed, signed_number
from ictbench.results.schema import Interval


def test_a_difference_has_a_sign_and_an_interval() -> None:
    assert signed(Interval(value=0.1, low=-0.04, high=0.3)) == "+0.10 [-0.04, +0.30]"
    assert signed(Interval(value=-0.5)) == "-0.50"
    assert signed(Interval(value=0.0004, low=-0.0004, high=0.1), 3) == "0.000 [0.000, +0.100]"


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.625, "+0.62"), (0.125, "+0.12"), (0.375, "+0.38"), (-0.125, "-0.12"), (0.005, "+0.01")],
)
def test_of_two_equally_near_decimals_the_even_one_is_shown(value: float, text: str) -> None:
    """As in `assets/format.js`; the double 0.005 lies above 5/1000."""
    assert signed(Interval(value=value)) == text
    assert f"{value:.2f}" == text.removeprefix("+")


@given(st.floats(-2, 2), st.integers(0, 4))
def test_a_sign_is_shown_exactly_if_a_digit_is(value: float, digits: int) -> None:
    text = signed_number(value, digits)
    assert (text[0] in "+-") == any(digit in "123456789" for digit in text)
    assert abs(float(text) - value) <= 0.5001 * 10**-digits


@given(st.floats(1e-9, 1))
def test_a_p_value_is_never_zero(p: float) -> None:
    assert float(p_value(p)) > 0
    assert abs(float(p_value(p)) - p) <= max(0.0005, p / 2)


@given(st.text())
def test_any_text_becomes_one_code_span_in_one_cell(text: str) -> None:
    span = code_span(text)
    assert span.count("`") == 2
    assert "|" not in span
    assert len(span.splitlines()) == 1


def test_a_markdown_table_escapes_its_cells() -> None:
    assert markdown_table(("a", "b"), [("1|2", "x\ny"), ("", code_span("c"))]) == (
        "| a | b |\n| --- | --- |\n| 1\\|2 | x\N{REPLACEMENT CHARACTER}y |\n|  | `c` |"
    )


def rendered(text: str) -> str:
    """Return the HTML of a Markdown text with tables and strikethrough; bare addresses must not be links on GitHub."""
    assert not re.search(r"(?i)https?://|www\.", text)
    html: str = MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(text)
    return html


@given(st.text(st.sampled_from("ab _*`[](){}<>!&;:/.|~#+-@\\^1w\"='"), max_size=30))
def test_any_text_is_shown_as_it_is_in_markdown(text: str) -> None:
    html = rendered(f"x {markdown_text(text)} x")
    assert re.findall(r"<(?!/?p>)", html) == []
    shown = unescape(re.sub("</?p>", "", html)).strip()
    assert shown.split() == f"x {text} x".split()


@pytest.mark.parametrize(
    "text",
    [
        "<img src=x onerror=alert(1)>",
        "[click](https://evil.example)",
        "https://evil.example and www.evil.example",
        "![](https://evil.example/pixel)",
        "[a]: https://evil.example",
        "# heading",
        "&lt;b&gt;",
        "**bold** _it_ ~~gone~~ `code`",
    ],
)
def test_markup_has_no_effect_in_a_table_or_a_list(text: str) -> None:
    document = f"- {markdown_text(text)}\n\n{markdown_table(('a',), [(text,)])}\n\n[a]\n"
    html = rendered(document)
    assert not re.search(r"<(a|img|h\d|b|strong|em|s|code)\b", html)
    assert unescape(html).count(text) == 2

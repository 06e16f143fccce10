from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ictbench.results.formatting import markdown_cell, markdown_table, one_line, p_value, signed
from ictbench.results.schema import Interval


def test_a_difference_has_a_sign_and_an_interval() -> None:
    assert signed(Interval(value=0.1, low=-0.04, high=0.3)) == "+0.10 [-0.04, +0.30]"
    assert signed(Interval(value=-0.5)) == "-0.50"


@given(st.floats(1e-9, 1))
def test_a_p_value_is_never_zero(p: float) -> None:
    assert float(p_value(p)) > 0
    assert abs(float(p_value(p)) - p) <= max(0.0005, p / 2)


@given(st.text())
def test_any_text_becomes_one_line(text: str) -> None:
    assert one_line(text).isprintable()
    assert len(one_line(text)) == len(text)
    assert "|" not in markdown_cell(text).replace("\\|", "")


def test_a_markdown_table_escapes_its_cells() -> None:
    assert markdown_table(("a", "b"), [("1|2", "x\ny"), ("", "`c`")]) == (
        "| a | b |\n| --- | --- |\n| 1\\|2 | x\N{REPLACEMENT CHARACTER}y |\n|  | `c` |"
    )

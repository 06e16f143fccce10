from __future__ import annotations

import io
import re

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ictbench.results.table_text import csv_cell, csv_text, markdown_of


@given(st.text())
def test_no_text_is_a_formula_and_every_text_can_be_restored(text: str) -> None:
    cell = csv_cell(text)
    assert not re.match(r"\s*[=+\-@]", cell)
    assert cell.removeprefix("'") == text


@pytest.mark.parametrize("text", ['=HYPERLINK("https://evil.example","click")', "  +1", "@SUM(A1)", "-2+3", "＝1"])
def test_formulas_are_shown_instead_of_evaluated(text: str) -> None:
    assert csv_text(pd.DataFrame({"label": [text]})).startswith(("label\n'", "label\n\"'"))


def test_numbers_stay_numbers_and_controls_become_visible() -> None:
    text = csv_text(pd.DataFrame({"label": ["a\x1b[2Jb"], "gain": [-0.5]}))
    assert text == "label,gain\na\N{REPLACEMENT CHARACTER}[2Jb,-0.5\n"
    assert pd.read_csv(io.StringIO(text))["gain"][0] == -0.5


def test_texts_of_a_markdown_table_are_escaped() -> None:
    text = markdown_of(pd.DataFrame({"label": ["<b>|[x](https://a.b)"], "gain": [0.25]}))
    assert "&lt;b>\\|[x\\](https\\://a.b)" in text
    assert "0.250" in text

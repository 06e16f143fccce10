"""Data frames as CSV and Markdown, with texts of unknown origin escaped for each."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ictbench.results.formatting import markdown_text
from ictbench.visible_text import one_line

if TYPE_CHECKING:
    import pandas as pd

FORMULA = re.compile(r"\s*[=+\-@＝＋－＠\t\r']")
"""Start of a text that a spreadsheet reads as a formula; an apostrophe, so that one more can be removed again."""


def csv_text(table: pd.DataFrame) -> str:
    """Return a data frame as CSV, for programs and spreadsheets; see `csv_cell`."""
    text: str = _map_texts(table, lambda value: csv_cell(one_line(value))).to_csv(
        index=False, float_format="%.6g", lineterminator="\n"
    )
    return text


def csv_cell(text: str) -> str:
    """Return a text in a form that a spreadsheet shows instead of evaluating: after an apostrophe, if need be.

    To get the text back, remove one apostrophe at its start.
    """
    return f"'{text}" if FORMULA.match(text) else text


def markdown_of(table: pd.DataFrame) -> str:
    """Return a data frame as a Markdown table, with three decimals."""
    text: str = _map_texts(table, markdown_text).to_markdown(index=False, floatfmt=".3f")
    return text


def _map_texts(table: pd.DataFrame, function: Any) -> pd.DataFrame:
    """Return the data frame with the function applied to its texts."""
    return table.map(lambda value: function(value) if isinstance(value, str) else value)

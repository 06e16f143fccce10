"""Text for terminals, tables and files, from figures and from texts of unknown origin."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ictbench.results.schema import Interval


def signed(interval: Interval) -> str:
    """Return a difference as text, with its interval if it has one."""
    if interval.low is None or interval.high is None:
        return f"{interval.value:+.2f}"
    return f"{interval.value:+.2f} [{interval.low:+.2f}, {interval.high:+.2f}]"


def p_value(p: float) -> str:
    """Return a p-value as text with three decimals, or with one significant digit if it is smaller."""
    return f"{p:.3f}" if p >= 0.001 else f"{p:.1g}"


def distinct_labels(labels: Sequence[str], places: Sequence[str]) -> list[str]:
    """Return the labels, those that occur twice with their place."""
    return [
        label if labels.count(label) == 1 else f"{label} ({place})" for label, place in zip(labels, places, strict=True)
    ]


def one_line(text: str) -> str:
    """Return text without control characters, which a terminal would obey and XML cannot contain."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def markdown_cell(text: str) -> str:
    """Return text for a cell of a Markdown table: one line, without a character that ends the cell."""
    return one_line(text).replace("|", "\\|")


def markdown_row(cells: Iterable[str]) -> str:
    """Return one row of a Markdown table; the cells are escaped."""
    return f"| {' | '.join(map(markdown_cell, cells))} |"


def markdown_table(head: Sequence[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a Markdown table; the cells are escaped."""
    return "\n".join(map(markdown_row, (head, ["---"] * len(head), *rows)))

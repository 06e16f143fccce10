"""Text for terminals, tables and files, from figures and from texts of unknown origin."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ictbench.records import Usage
    from ictbench.results.schema import Interval


def signed(interval: Interval) -> str:
    """Return a difference as text, with its interval if it has one."""
    if interval.low is None or interval.high is None:
        return f"{interval.value:+.2f}"
    return f"{interval.value:+.2f} [{interval.low:+.2f}, {interval.high:+.2f}]"


def p_value(p: float) -> str:
    """Return a p-value as text with three decimals, or with one significant digit if it is smaller."""
    return f"{p:.3f}" if p >= 0.001 else f"{p:.1g}"


def dollars(amount: float) -> str:
    """Return an amount of US dollars as text; a small one is never shown as zero."""
    return "<$0.0001" if 0 < amount < 0.0001 else f"${amount:.4f}"


def cost_in_words(usage: Usage) -> str:
    """Return the cost of a usage: an unknown one as its known part, or as unknown."""
    if usage.cost is not None:
        return dollars(usage.cost)
    least, _ = usage.cost_bounds
    return f"≥ {dollars(least)}" if least else "cost unknown"


def tokens_in_words(usage: Usage) -> str:
    """Return input and output tokens of a usage: a lower bound if some were not reported."""
    if usage.unreported and not usage.tokens:
        return "tokens unknown"
    return f"{'≥ ' if usage.unreported else ''}{usage.input_tokens}+{usage.output_tokens} tokens"


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

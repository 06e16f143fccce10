"""Text for terminals, tables and files, from figures and from texts of unknown origin."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ictbench.visible_text import one_line

MARKDOWN = re.compile(r"[\\`*|]|~(?=~)|\](?=[(\[:])|(?<!\w)_|_(?!\w)|^[#>]|^[-+](?=\s)")
"""Characters that are markup in Markdown, where they are: not an underscore in a word, nor a bracket alone."""
AUTOLINK = re.compile(r"(\b(?:https?|ftp|www|mailto|xmpp))([:.])", re.IGNORECASE)
"""Start of an address that GitHub turns into a link."""

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ictbench.records import Usage
    from ictbench.results.schema import Interval


TOKEN_BYTES = 4
"""UTF-8 bytes of a token, for estimates: English text has 4 to 5 in most tokenizers."""

INTERVAL_MEANING = (
    "In brackets: 95 % intervals. About 95 of 100 such intervals contain the value that very many loops would give."
)
"""Explanation for tables with intervals."""


def signed_number(value: float, digits: int = 2) -> str:
    """Return a difference as text; one that rounds to zero has no sign."""
    text = f"{value:+z.{digits}f}"
    return text if float(text) else text[1:]


def signed(interval: Interval, digits: int = 2) -> str:
    """Return a difference as text, with its interval if it has one."""
    value = signed_number(interval.value, digits)
    if interval.low is None or interval.high is None:
        return value
    return f"{value} [{signed_number(interval.low, digits)}, {signed_number(interval.high, digits)}]"


def rate(interval: Interval, digits: int = 2) -> str:
    """Return a success rate as text, with its interval if it has one."""
    value = f"{interval.value:.{digits}f}"
    if interval.low is None or interval.high is None:
        return value
    return f"{value} [{interval.low:.{digits}f}, {interval.high:.{digits}f}]"


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


class Markdown(str):
    """Text that is Markdown already, so that it is not escaped again."""

    __slots__ = ()


def markdown_text(text: str) -> str:
    """Return a text as Markdown that shows it on one line: markup, HTML, links and references have no effect."""
    if isinstance(text, Markdown):
        return Markdown(one_line(text))
    escaped = MARKDOWN.sub(r"\\\g<0>", one_line(text)).replace("&", "&amp;").replace("<", "&lt;")
    return Markdown(AUTOLINK.sub(r"\g<1>\\\g<2>", escaped))


def code_span(text: str) -> Markdown:
    """Return a text as a code span for a table's cell; characters that would end the span or the cell are replaced."""
    return Markdown(f"`{one_line(text).replace('`', '’').replace('|', '¦')}`")


def markdown_row(cells: Iterable[str]) -> str:
    """Return one row of a Markdown table; the cells are escaped."""
    return f"| {' | '.join(map(markdown_text, cells))} |"


def markdown_table(head: Sequence[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a Markdown table; the cells are escaped."""
    return "\n".join(map(markdown_row, (head, ["---"] * len(head), *rows)))


def tokens_estimate(size: int) -> int:
    """Return about how many tokens a text of this many bytes has."""
    return round(size / TOKEN_BYTES)

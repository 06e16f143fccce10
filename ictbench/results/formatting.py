"""Figures and foreign names as text that a terminal, a table or a file can hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ictbench.results.schema import Interval


def signed(interval: Interval) -> str:
    """A difference with its interval, if it has one."""
    if interval.low is None or interval.high is None:
        return f"{interval.value:+.2f}"
    return f"{interval.value:+.2f} [{interval.low:+.2f}, {interval.high:+.2f}]"


def told_apart(labels: Sequence[str], places: Sequence[str]) -> list[str]:
    """Labels, with the place of those that are not the only one of their kind."""
    return [
        label if labels.count(label) == 1 else f"{label} ({place})" for label, place in zip(labels, places, strict=True)
    ]


def p_value(p: float) -> str:
    """To three digits, never zero."""
    return f"{p:.3f}" if p >= 0.001 else f"{p:.1g}"


def one_line(text: str) -> str:
    """Without control characters, which a terminal would obey and XML cannot hold."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def cell(text: str) -> str:
    """For a table in Markdown: on one line, and without a sign that would end the cell."""
    return one_line(text).replace("|", "\\|")

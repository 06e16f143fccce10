"""Comparisons and checks on the terminal. Names come from users and plug-ins: markup is off."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ictbench.results import continuous, verdict
from ictbench.results.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ictbench.results import Check, Comparison

STYLES = {"failed": "bold red", "warned": "yellow", "passed": None}


def print_comparison(comparison: Comparison) -> None:
    """The table of a comparison, and below it what can be concluded."""
    _print(f"{comparison.suite}: {comparison.measure} on test tasks, compared with {comparison.reference}")
    table = _table(verdict.COLUMNS)
    for arm in comparison.arms:
        for row in arm.rows:
            _add(table, verdict.cells(arm, row), "bold" if row in arm.means[:1] else None)
        table.add_section()
    Console().print(table)
    for arm in comparison.arms:
        for sentence in arm.verdict:
            _print(sentence)


def print_check(check: Check) -> None:
    """The table of a check, and what failed or could not be shown."""
    _print(f"{check.suite}: {check.run} against baseline {check.baseline}, tolerance {check.tolerance:g}")
    table = _table((*continuous.COLUMNS, ""))
    for fall in check.falls:
        _add(table, (*continuous.cells(fall), fall.outcome), STYLES[fall.outcome])
    Console().print(table)
    if check.not_comparable:
        _print(f"Not comparable, compared by force: {'; '.join(check.not_comparable)}.")
    for fall in (*check.failed, *check.warned):
        _print(f"{'Failed' if fall.outcome == 'failed' else 'Warning'}: {continuous.describe(fall)}.")
    _print("Failed." if check.failed else "Passed.")


def _print(line: str) -> None:
    Console().print(Text(one_line(line)), soft_wrap=True)


def _table(columns: Iterable[str]) -> Table:
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    for name in columns:
        table.add_column(Text(name), justify="left" if name in ("arm", "family", "measure", "of", "") else "right")
    return table


def _add(table: Table, cells: Iterable[str], style: str | None) -> None:
    table.add_row(*(Text(one_line(cell)) for cell in cells), style=style)

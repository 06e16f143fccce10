"""Comparisons and regression checks on the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ictbench.cli.console import Console
from ictbench.cli.terminal_table import add_row, grid, print_line, print_table
from ictbench.results import ci_report, verdict
from ictbench.results.formatting import INTERVAL_MEANING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ictbench.results import Check, Comparison

STYLES = {"failed": "bold red", "warned": "yellow", "passed": None}


def print_comparison(comparison: Comparison) -> None:
    """Print a table for each arm, and its conclusions."""
    for number, arm in enumerate(comparison.arms):
        if number:
            Console().print()
        print_line(
            f"{comparison.suite}: {comparison.measure} on test tasks, {arm.label} compared with {comparison.reference}"
        )
        table = grid(verdict.COLUMNS[1:], left=("family",))
        for row in arm.rows:
            add_row(table, verdict.cells(arm, row)[1:], "bold" if row in arm.means[:1] else None)
        print_table(table)
        for sentence in arm.verdict:
            print_line(sentence)
    if any(row.difference.low is not None for arm in comparison.arms for row in arm.rows):
        print_line(INTERVAL_MEANING)


def print_check(check: Check) -> None:
    """Print the table of a check, then its failures and warnings."""
    cell = f"{check.cell}: " if check.cell else ""
    print_line(f"{cell}{check.suite}: {check.run} against baseline {check.baseline}, tolerance {check.tolerance:g}")
    table = grid((*ci_report.COLUMNS, ""), left=("measure", "of", ""))
    for fall in check.falls:
        add_row(table, (*ci_report.cells(fall), fall.outcome), STYLES[fall.outcome])
    print_table(table)
    if check.not_comparable:
        print_line(f"Not comparable, compared by force: {'; '.join(check.not_comparable)}.")
    for fall in (*check.failed, *check.warned):
        print_line(f"{'Failed' if fall.outcome == 'failed' else 'Warning'}: {ci_report.describe(fall)}.")
    if any(fall.difference.low is not None for fall in check.falls):
        print_line(INTERVAL_MEANING)
    print_line("Failed." if check.failed else "Passed.")


def print_missing(cells: Sequence[str]) -> None:
    """Print the cells of a baseline that a campaign lacks."""
    for name in cells:
        print_line(f"Failed: cell {name} of the baseline is not complete.")

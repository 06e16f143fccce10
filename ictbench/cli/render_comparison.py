"""Comparisons and checks on the terminal. Names come from users and plug-ins: markup is off."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from ictbench.cli.terminal_table import add_row, grid
from ictbench.results import ci_report as continuous
from ictbench.results import verdict
from ictbench.results.formatting import one_line

if TYPE_CHECKING:
    from ictbench.results import Check, Comparison

STYLES = {"failed": "bold red", "warned": "yellow", "passed": None}


def print_comparison(comparison: Comparison) -> None:
    """A table for each arm, and below it what can be concluded."""
    for number, arm in enumerate(comparison.arms):
        if number:
            Console().print()
        _print(
            f"{comparison.suite}: {comparison.measure} on test tasks, {arm.label} compared with {comparison.reference}"
        )
        table = grid(verdict.COLUMNS[1:], left=("family",))
        for row in arm.rows:
            add_row(table, verdict.cells(arm, row)[1:], "bold" if row in arm.means[:1] else None)
        Console().print(table)
        for sentence in arm.verdict:
            _print(sentence)


def print_check(check: Check) -> None:
    """The table of a check, and what failed or could not be shown."""
    _print(f"{check.suite}: {check.run} against baseline {check.baseline}, tolerance {check.tolerance:g}")
    table = grid((*continuous.COLUMNS, ""), left=("measure", "of", ""))
    for fall in check.falls:
        add_row(table, (*continuous.cells(fall), fall.outcome), STYLES[fall.outcome])
    Console().print(table)
    if check.not_comparable:
        _print(f"Not comparable, compared by force: {'; '.join(check.not_comparable)}.")
    for fall in (*check.failed, *check.warned):
        _print(f"{'Failed' if fall.outcome == 'failed' else 'Warning'}: {continuous.describe(fall)}.")
    _print("Failed." if check.failed else "Passed.")


def _print(line: str) -> None:
    Console().print(Text(one_line(line)), soft_wrap=True)

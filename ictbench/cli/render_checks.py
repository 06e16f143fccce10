"""Checks on the terminal. Their texts come from submissions, so markup is never interpreted."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from ictbench.cli.console import Console
from ictbench.visible_text import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ictbench.audit.verification import Check, Verification

STYLES = {"passed": "green", "failed": "bold red", "skipped": "yellow"}
NAME_WIDTH = 15


def print_check(check: Check) -> None:
    """Print a check on one line: verdict, name, detail."""
    line = Text(f"{check.verdict:8}", style=STYLES[check.verdict])
    line.append(f"{check.name:{NAME_WIDTH}}", style="default")
    line.append(one_line(check.detail), style="default")
    Console().print(line, soft_wrap=True)


def print_verdict(verification: Verification) -> None:
    """Print what was replayed or run again, and the verdict."""
    if replayed := verification.replayed:
        seed = f", drawn with the seed {replayed.sample_seed}" if replayed.sample_seed else ""
        print(f"Replayed {replayed.episodes:,} of {replayed.of:,} episodes, {replayed.decisions:,} decisions{seed}.")
    if reran := verification.reran:
        tasks = "on tasks of their own" if reran.fresh_tasks else "on the games that were submitted"
        print(f"Ran loops {', '.join(map(str, reran.loops))} again, {tasks} (salt {reran.salt}).")
    print(_verdict(verification))
    if verification.passed and verification.submission and verification.shortfall:
        print(f"No badge: {verification.shortfall}.")


def _verdict(verification: Verification) -> str:
    if verification.passed:
        return "Passed."
    failed = {check.name for check in verification.checks if check.verdict == "failed"}
    if verification.reran and verification.reran.inconclusive and failed == {"equivalence"}:
        return "Not shown: the rerun has too few loops to tell whether the results are equivalent or differ."
    return "Failed."


@contextmanager
def replay_progress(quiet: bool) -> Iterator[Callable[[int, int], None]]:
    """Show a progress bar on a terminal.

    Yields:
        A function to call with the number of episodes just replayed and the number of all.
    """
    console = Console(stderr=True)
    columns = TextColumn("replaying"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, console=console, transient=True, disable=quiet or not console.is_terminal) as progress:
        bar = progress.add_task("", total=None, visible=False)
        yield lambda episodes, of: progress.update(bar, advance=episodes, total=of, visible=True)

"""Checks on the terminal, as they are made. Their texts come from submissions: markup is off."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from ictbench.results.formatting import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ictbench.audit.verification import Check, Verification

STYLES = {"passed": "green", "failed": "bold red", "skipped": "yellow"}
NAME_WIDTH = 15


def print_check(check: Check) -> None:
    """One line: verdict, name, what was found."""
    line = Text(f"{check.verdict:8}", style=STYLES[check.verdict])
    line.append(f"{check.name:{NAME_WIDTH}}", style="default")
    line.append(one_line(check.detail), style="default")
    Console().print(line, soft_wrap=True)


def print_verdict(verification: Verification) -> None:
    """What it comes to."""
    played = verification.replayed
    if played is not None:
        drawn = f", drawn by {played.sample_seed}" if played.sample_seed else ""
        print(f"Played again: {played.episodes:,} of {played.of:,} episodes, {played.decisions:,} decisions{drawn}.")
    if reran := verification.reran:
        tasks = "drawn by the digest" if reran.fresh_tasks else "whose games are those that it was submitted with"
        print(f"Run again: loops {', '.join(map(str, reran.loops))}, {tasks}.")
    print("Passed." if verification.passed else "Failed.")


@contextmanager
def replay_progress(quiet: bool) -> Iterator[Callable[[int, int], None]]:
    """A bar, on a terminal only, and what to tell it: episodes that were just played, and of how many."""
    console = Console(stderr=True)
    columns = TextColumn("playing again"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, console=console, transient=True, disable=quiet or not console.is_terminal) as progress:
        bar = progress.add_task("", total=None, visible=False)
        yield lambda episodes, of: progress.update(bar, advance=episodes, total=of, visible=True)

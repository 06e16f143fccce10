"""Progress of long work on boards, on stderr: one line on a terminal, a plain line every few seconds elsewhere."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from ictbench.cli.console import Console

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ictbench.board.parallel import OnProgress

PLAIN_SECONDS = 5.0
"""Seconds between two plain lines; shorter work prints none."""


@contextmanager
def show_steps() -> Iterator[OnProgress]:
    """Show the step and how far it is while the block runs; pass what is yielded to the work as `on_progress`."""
    console = Console(stderr=True)
    with _live(console) if console.is_terminal else _plain(console) as on_progress:
        yield on_progress


@contextmanager
def _live(console: Console) -> Iterator[OnProgress]:
    columns = TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, console=console, transient=True) as display:
        task = display.add_task("reading", total=None)

        def on_progress(step: str, done: int, total: int) -> None:
            display.update(task, description=step, completed=done, total=total)

        yield on_progress


@contextmanager
def _plain(console: Console) -> Iterator[OnProgress]:
    line, ended = "reading", threading.Event()

    def on_progress(step: str, done: int, total: int) -> None:
        nonlocal line
        line = f"{step}: {done} of {total}"

    def print_lines() -> None:
        while not ended.wait(PLAIN_SECONDS):
            console.print(Text(line), soft_wrap=True)

    # In a thread, as one entry may take minutes.
    printer = threading.Thread(target=print_lines, daemon=True)
    printer.start()
    try:
        yield on_progress
    finally:
        ended.set()
        printer.join()

"""Progress of long work on boards: one line on a terminal's stderr, nothing elsewhere."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from ictbench.cli.console import Console

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ictbench.board.parallel import OnProgress


@contextmanager
def show_steps() -> Iterator[OnProgress]:
    """Show the step and how far it is while the block runs; pass what is yielded to the work as `on_progress`."""
    console = Console(stderr=True)
    columns = TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as display:
        task = display.add_task("reading", total=None)

        def on_progress(step: str, done: int, total: int) -> None:
            display.update(task, description=step, completed=done, total=total)

        yield on_progress

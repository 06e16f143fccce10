"""Progress bar of `ictbench.run` in terminals and notebooks."""

from __future__ import annotations

import sys
import threading
from contextlib import contextmanager
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from ictbench.runs.progress import Progress

SECONDS = 0.5
"""Seconds between two updates."""

WIDTH = 30
"""Characters of the bar in a terminal."""


class ProgressBar:
    """Display of a run; it is called with the folder and the live progress of the run when it starts."""

    def __init__(self, show: Callable[[Progress], None]) -> None:
        self._show = show
        self._progress: Progress | None = None
        self._stopped = threading.Event()

    def __call__(self, folder: Path, progress: Progress) -> None:
        """Receive the progress of the run that starts."""
        self._progress = progress

    def update(self) -> None:
        """Show the progress now, if the run has started."""
        if self._progress is not None:
            self._show(self._progress)

    def run(self) -> None:
        """Show the progress until `stop`."""
        while not self._stopped.wait(SECONDS):
            self.update()

    def stop(self) -> None:
        """End `run`."""
        self._stopped.set()


@contextmanager
def progress_bar(quiet: bool | None) -> Iterator[Callable[[Path, Progress], None] | None]:
    """Show the progress of a run while the block runs.

    Args:
        quiet: False always shows it, True never; None shows it in a notebook and on a terminal.
    """
    show = None if quiet else _display(always=quiet is False)
    if show is None:
        yield None
        return
    bar = ProgressBar(show)
    thread = threading.Thread(target=bar.run, daemon=True)
    thread.start()
    try:
        yield bar
    finally:
        bar.stop()
        thread.join()
        bar.update()
        if not in_notebook():
            print(file=sys.stderr)


def in_notebook() -> bool:
    """Return whether this process is the kernel of a notebook."""
    ipython = sys.modules.get("IPython")
    shell: Any = ipython.get_ipython() if ipython else None
    return shell is not None and hasattr(shell, "kernel")


def counts_text(progress: Progress) -> str:
    """Return turns and episodes in words."""
    families = progress.families.values()
    turns = f"turns {sum(f.turns_done for f in families)}/{sum(f.turns for f in families)}"
    return f"{turns}, episodes {progress.episodes_done}/{progress.episodes}"


def _display(*, always: bool) -> Callable[[Progress], None] | None:
    if in_notebook():
        return _notebook_display()
    return _print_line if always or sys.stderr.isatty() else None


def _print_line(progress: Progress) -> None:
    share = progress.episodes_done / progress.episodes if progress.episodes else 1.0
    bar = "#" * round(WIDTH * share)
    line = f"[{bar:{WIDTH}}] {counts_text(progress)}"
    # Spaces cover a longer line before, also on a terminal without control sequences.
    print(f"\r{line:79}", end="", file=sys.stderr, flush=True)


def _notebook_display() -> Callable[[Progress], None]:
    from IPython.display import HTML, display

    handle = display(HTML("starting …"), display_id=True)

    def show(progress: Progress) -> None:
        bar = f'<progress value="{progress.episodes_done}" max="{progress.episodes}"></progress>'
        handle.update(HTML(f"{bar} {escape(counts_text(progress))}"))

    return show

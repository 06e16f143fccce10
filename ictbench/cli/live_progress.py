"""Progress of a run: a live table on a terminal, a plain line every few seconds elsewhere."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Group
from rich.live import Live
from rich.text import Text

from ictbench.cli.console import Console
from ictbench.cli.terminal_table import add_row, grid
from ictbench.results.failures import failures_text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from rich.console import RenderableType

    from ictbench.runs import Progress
    from ictbench.runs.cost_projection import FamilyCosts

PLAIN_SECONDS = 5.0
"""Seconds between two plain lines."""


class Watcher:
    """Display of a run's progress; it is passed to the run as `on_start`, which gives it the counts to show."""

    def __init__(self, quiet: bool) -> None:
        self.folder: Path | None = None
        self._progress: Progress | None = None
        self._quiet = quiet
        self._console = Console(stderr=True)
        self._stopped = threading.Event()

    def __call__(self, folder: Path, progress: Progress) -> None:
        """Receive folder and progress of the run that starts."""
        self.folder, self._progress = folder, progress
        if self._quiet:
            return
        progress.on_note = self._print_note
        for note in progress.notes:
            self._print_note(note)

    @contextmanager
    def display(self) -> Iterator[None]:
        """Show progress while the block runs."""
        if self._quiet:
            yield
        elif self._console.is_terminal:
            with Live(get_renderable=self._table, console=self._console, refresh_per_second=4, transient=True):
                yield
        else:
            lines = threading.Thread(target=self._lines, daemon=True)
            lines.start()
            try:
                yield
            finally:
                self._stopped.set()
                lines.join()

    def _table(self) -> RenderableType:
        if self._progress is None:
            return Text("starting …")
        costs = {name: _dollars(costs) for name, costs in self._progress.costs.families.items()}
        cost_column = ("cost in this session",) if any(costs.values()) else ()
        table = grid(("family", "loops", "turns", "episodes", "success so far", *cost_column), left=("family",))
        for name, family in self._progress.families.items():
            cells = [
                name,
                f"{family.loops_done}/{self._progress.loops}",
                f"{family.turns_done}/{family.turns}",
                f"{family.episodes_done}/{family.episodes}",
                f"{family.solved / family.episodes_done:.0%}" if family.episodes_done else "",
                *([costs.get(name, "")] if cost_column else []),
            ]
            add_row(table, cells)
        return Group(table, Text(_line(self._progress)))

    def _print_note(self, note: str) -> None:
        self._console.print(Text(f"Note: {note}"), soft_wrap=True)

    def _lines(self) -> None:
        while not self._stopped.wait(PLAIN_SECONDS):
            self._print_line()
        self._print_line()

    def _print_line(self) -> None:
        if self._progress is not None:
            self._console.print(Text(_line(self._progress)), soft_wrap=True)


@contextmanager
def watch(quiet: bool) -> Iterator[Watcher]:
    """Show progress while the block runs; pass the watcher to the run as `on_start`."""
    watcher = Watcher(quiet)
    with watcher.display():
        yield watcher


def _line(progress: Progress) -> str:
    from ictbench.models.servers.launch import ServerProcess

    families = progress.families.values()
    turns_done, turns = sum(f.turns_done for f in families), sum(f.turns for f in families)
    done = progress.episodes_done
    parts = [f"turns {turns_done}/{turns}", f"episodes {done}/{progress.episodes} ({progress.played} played)"]
    if done:
        parts.append(f"success so far {sum(f.solved for f in families) / done:.0%}")
    if progress.resumed:
        parts.append(f"{progress.resumed} already in the journal")
    if progress.owed:
        parts.append(f"{progress.owed} owed")
    parts += ServerProcess.starting()
    if failures := failures_text(progress.failures.get("actor", {}), progress.failures.get("reflector", {})):
        parts.append(f"failed: {failures}")
    meter = progress.meter
    if meter.spent.calls:
        spent = meter.spent
        least, _ = spent.cost_bounds
        money = f", {'≥ ' if spent.cost is None else ''}${least:.2f} spent" if least else ""
        if (projected := progress.costs.total()) is not None:
            money += f" of about ${projected:.2f}"
        parts.append(f"{spent.calls} calls, {'≥ ' if spent.unreported else ''}{spent.tokens} tokens{money}")
        parts.append(f"{meter.in_flight}/{meter.limits.max_connections} requests in flight")
    if meter.retrying:
        parts.append(f"{meter.retrying} waiting to retry ({meter.retries} retries so far)")
    executor = progress.executor
    if executor and (executor.ready > 1 or executor.lost):
        lost = f", {executor.lost} lost" if executor.lost else ""
        parts.append(f"{executor.ready}/{executor.workers} workers{lost}")
    if progress.paused:
        parts.append("paused: the endpoint does not answer")
    left = progress.seconds_left
    parts.append(f"{_clock(progress.elapsed)} elapsed, {_clock(left) if left is not None else '?'} left")
    return ", ".join(parts)


def _dollars(costs: FamilyCosts) -> str:
    """Return what a family has cost; empty if nothing is known."""
    usage = costs.episodes + costs.reflections
    least, _ = usage.cost_bounds
    return f"{'≥ ' if usage.cost is None else ''}${least:.2f}" if least else ""


def _clock(seconds: float) -> str:
    return time.strftime("%H:%M:%S" if seconds >= 3600 else "%M:%S", time.gmtime(seconds))

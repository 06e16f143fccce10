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
from ictbench.cli.terminal_table import add_row, grid, wrap_words
from ictbench.results.failures import failures_text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from rich.console import RenderableType

    from ictbench.runs import Progress
    from ictbench.runs.cost_projection import FamilyCosts

PLAIN_SECONDS = 5.0
"""Seconds between two plain lines."""

LIVE_WIDTH = 40
"""Width of a terminal, in columns, from which on the live table fits."""

SHOWN_TURNS = 10
"""Turns in the live table; of more turns, some are left out."""


class Watcher:
    """Display of a run's progress; it is passed to the run as `on_start`, which gives it the counts to show."""

    def __init__(self, quiet: bool, keep: bool = False) -> None:
        self.folder: Path | None = None
        self._progress: Progress | None = None
        self._quiet = quiet
        self._keep = keep
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
        elif self._console.is_terminal and not self._console.is_dumb_terminal and self._console.width >= LIVE_WIDTH:
            with Live(
                get_renderable=self._table, console=self._console, refresh_per_second=4, transient=not self._keep
            ):
                yield
        else:
            lines = threading.Thread(target=self._lines, daemon=True)
            lines.start()
            try:
                yield
            finally:
                self._stopped.set()
                lines.join()
                if self._keep and self._progress is not None:
                    self._console.print(self._table())

    def _table(self) -> RenderableType:
        if self._progress is None:
            return Text("starting …")
        progress = self._progress
        turns = _shown_turns(progress)
        costs = {name: _dollars(costs) for name, costs in progress.costs.families.items()}
        cost_column = ("cost in this session",) if any(costs.values()) else ()
        names = ("start" if turn == 0 else f"turn {turn}" if turn == 1 else str(turn) for turn in turns)
        table = grid(("family", "loops", "turns", *names, *cost_column), left=("family",))
        for name, family in progress.families.items():
            cells = [
                name,
                f"{family.loops_done}/{progress.loops}",
                f"{family.turns_done}/{family.turns}",
                *(_percent(family.selection.get(turn)) for turn in turns),
                *([costs.get(name, "")] if cost_column else []),
            ]
            add_row(table, cells)
        title = [Text("Success on selection tasks under the prompt after each turn")] if turns else []
        status = map(Text, wrap_words(", ".join(_parts(progress)), self._console.width))
        return Group(*title, table, *status)

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
def watch(quiet: bool, *, keep: bool = False) -> Iterator[Watcher]:
    """Show progress while the block runs; pass the watcher to the run as `on_start`.

    Args:
        quiet: Whether nothing is shown.
        keep: Whether the last state of the table stays on the terminal.
    """
    watcher = Watcher(quiet, keep)
    with watcher.display():
        yield watcher


def _shown_turns(progress: Progress) -> list[int]:
    """Return the turns whose prompts are scored; 0 is the first prompt."""
    last = max((turn for family in progress.families.values() for turn in family.selection), default=-1)
    step = 1 + last // SHOWN_TURNS
    return sorted({*range(0, last + 1, step), last}) if last >= 0 else []


def _percent(counts: tuple[int, int] | None) -> str:
    return f"{counts[0] / counts[1]:.0%}" if counts and counts[1] else ""


def _line(progress: Progress) -> str:
    """Return the progress as one line, with the success by turn over all families."""
    families = progress.families.values()
    by_turn = [
        [sum(column) for column in zip(*(f.selection.get(turn, (0, 0)) for f in families), strict=True)]
        for turn in _shown_turns(progress)
    ]
    success = " ".join(_percent((solved, done)) for solved, done in by_turn)
    return ", ".join([*_parts(progress), *([f"selection success by turn {success}"] if success else [])])


def _parts(progress: Progress) -> list[str]:
    from ictbench.models.servers.launch import ServerProcess

    done, played = progress.episodes_done, progress.played
    reused = f", {done - played} reused" if done > played else ""
    parts = [f"episodes {done} of ≤ {progress.episodes} ({played} played{reused})"]
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
    if executor and (0 < executor.ready < executor.workers or executor.lost):
        lost = f", {executor.lost} lost" if executor.lost else ""
        parts.append(f"{executor.ready}/{executor.workers} workers{lost}")
    if progress.paused:
        parts.append("paused: the endpoint does not answer")
    left = progress.seconds_left
    parts.append(f"{_clock(progress.elapsed)} elapsed, {_clock(left) if left is not None else '?'} left")
    return parts


def _dollars(costs: FamilyCosts) -> str:
    """Return what a family has cost; empty if nothing is known."""
    usage = costs.episodes + costs.reflections
    least, _ = usage.cost_bounds
    return f"{'≥ ' if usage.cost is None else ''}${least:.2f}" if least else ""


def _clock(seconds: float) -> str:
    return time.strftime("%H:%M:%S" if seconds >= 3600 else "%M:%S", time.gmtime(seconds))

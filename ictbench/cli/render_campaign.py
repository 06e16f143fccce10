"""Plan, progress and outcome of a campaign on the terminal."""

from __future__ import annotations

import json
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ictbench.campaigns.reachable_p import unreachable_text
from ictbench.cli.render_dry_run import count_text, dollars_text, duration_text, range_text
from ictbench.cli.terminal_table import add_row, grid, print_line, print_table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ictbench.campaigns import Campaign
    from ictbench.campaigns.dry_run_campaign import CampaignDryRun
    from ictbench.campaigns.run_campaign import CampaignProgress, CellState

SECONDS = 30.0
"""Time between two lines of progress."""
NONE = "-"


def print_campaign_plan(planned: CampaignDryRun) -> None:
    """Print what each cell would do at most and cost, and what is there already."""
    table = grid(("cell", "state", "episodes", "recorded", "shared", "tokens", "cost", "time"), left=("cell", "state"))
    for cell in planned.cells:
        figures = _figures(cell.tokens, cell.cost, cell.seconds)
        counts = (f"{number:,}" for number in (cell.planned.counts["episodes"], cell.recorded, cell.shared))
        add_row(table, (cell.name, cell.status, *counts, *figures))
    total = _figures(planned.tokens, planned.cost, planned.seconds)
    sums = planned.episodes, sum(cell.recorded for cell in planned.cells), sum(cell.shared for cell in planned.cells)
    done = sum(cell.status == "complete" for cell in planned.cells)
    counts = (f"{number:,}" for number in sums)
    add_row(table, ("all", f"{done}/{len(planned.cells)} complete", *counts, *total))
    print_table(table)
    print_line(
        "Episodes are upper bounds. Shared are those under prompt[0] that an earlier cell plays too. Tokens, cost and "
        "time are for what is left; the time of a cell is that of the cell alone."
    )
    if warning := unreachable_text(planned.smallest_p):
        print_line(warning, "bold")


@contextmanager
def watch_cells(quiet: bool) -> Iterator[Callable[[CampaignProgress], None]]:
    """Print a line whenever a cell starts or ends, and one with the counts from time to time; on standard error."""
    stopped = threading.Event()
    lines: list[threading.Thread] = []

    def start(progress: CampaignProgress) -> None:
        def report() -> None:
            while not stopped.wait(SECONDS):
                _say(_counts(progress))

        def change(state: CellState) -> None:
            done = sum(cell.status not in ("waiting", "running") for cell in progress.cells.values())
            took = f" in {duration_text(state.seconds)}" if state.seconds else ""
            why = f": {state.reason}" if state.reason else ""
            _say(f"[{done}/{len(progress.cells)}] {state.name}: {state.status}{took}{why}")

        progress.on_change = change
        lines.append(threading.Thread(target=report, daemon=True))
        lines[0].start()

    try:
        yield (lambda _: None) if quiet else start
    finally:
        stopped.set()
        for line in lines:
            line.join()


def print_campaign(finished: Campaign, *, quiet: bool, as_json: bool) -> None:
    """Print how each cell ended, and where the files are."""
    if as_json:
        states = {state.name: {"status": state.status, "reason": state.reason} for state in finished.states}
        print(json.dumps({"folder": str(finished.folder), "cells": states}))
        return
    if quiet:
        return
    table = grid(("cell", "state", "time"), left=("cell", "state"))
    for state in finished.states:
        add_row(table, (state.name, state.status, duration_text(state.seconds)))
    print_table(table)
    print_line(
        f"{finished.played:,} episodes were played, and {finished.found:,} taken from other cells. Everything is in "
        f"{finished.folder}; read report.md and report.html first."
    )


def _figures(
    tokens: tuple[int, int] | None, cost: tuple[float, float] | None, seconds: tuple[float, float]
) -> tuple[str, str, str]:
    return (
        range_text(tokens, count_text) if tokens else NONE,
        range_text(cost, dollars_text) if cost else ("unknown" if tokens and tokens[1] else NONE),
        range_text(seconds, duration_text),
    )


def _counts(progress: CampaignProgress) -> str:
    running = [state for state in progress.cells.values() if state.status == "running" and state.progress]
    shares = [f"{state.name} {_share(state)}" for state in running]
    spent = progress.engine.meter.spent
    least, most = spent.cost_bounds
    money = f", {dollars_text(least if most is None else most)} spent" if spent.calls and (least or most) else ""
    return f"{progress.engine.episodes.played:,} episodes played{money}; running: {', '.join(shares) or 'none'}"


def _share(state: CellState) -> str:
    progress = state.progress
    return f"{progress.episodes_done / max(1, progress.episodes):.0%}" if progress else "0%"


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)

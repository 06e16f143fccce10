"""`ictbench runs`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from ictbench.cli.help_page import LOOK, page

PAGE = page(LOOK, "docs/runs.md", "ictbench runs", "ictbench runs experiments --json")


SHARED = ("suite", "reflector", "actor")
"""Columns that a narrow terminal does not show where all runs have the same."""


def runs(
    folder: Annotated[Path, typer.Argument(help="Folder that holds the folders of runs.")] = Path("runs"),
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object per run.")] = False,
) -> None:
    """List runs: whether each is running, paused, complete or unreadable; its turns, gain and cost.

    The gain is the mean over held-out families, or, marked so, over meta-train families if none is held out; only a
    complete run has one.
    """
    from ictbench.cli.console import Console
    from ictbench.cli.terminal_table import add_row, grid, print_line, print_table, without_shared
    from ictbench.results.formatting import cost_in_words, signed_number
    from ictbench.runs.list_runs import list_runs

    listed = list_runs(folder)
    if as_json:
        for run in listed:
            print(json.dumps(run.as_json()))
        return
    table = grid(
        ("run", "state", "turns", "suite", "reflector", "actor", "gain", "cost"),
        left=("run", "state", "suite", "reflector", "actor"),
    )
    for run in listed:
        role = f" ({run.gain_role})" if run.gain_role not in ("", "held-out") else ""
        gain = "" if run.gain is None else f"{signed_number(run.gain)}{role}"
        turns = "" if run.turns is None else f"{run.turns_done}/{run.turns}"
        cost = cost_in_words(run.spent).removeprefix("cost ") if run.spent and run.spent.calls else ""
        add_row(table, (run.folder.name, run.status, turns, run.suite, run.reflector, run.actor, gain, cost))
    if listed:
        table, shared = (table, "") if table.fits(Console().width) else without_shared(table, SHARED)
        print_table(table)
        if shared:
            print_line(f"All runs: {shared}.")
    else:
        print_line(f"{folder} holds no run")
    for run in listed:
        if run.problem:
            print_line(f"{run.folder.name}: {run.problem}")

"""`ictbench transfer`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ictbench.cli.compare import Format
from ictbench.cli.help_page import COMPARE, page
from ictbench.cli.option_values import complete_runs

if TYPE_CHECKING:
    from ictbench import Result
    from ictbench.results.transfer_matrix import Cell, Gain


PAGE = page(
    COMPARE,
    "docs/results.md",
    "ictbench transfer runs/untrained runs/trained",
    "ictbench transfer campaigns/worlds",
    "ictbench transfer runs/mini --trained-on runs/mini=minihack-v1/meta-train",
)


def transfer(
    runs: Annotated[
        list[Path],
        typer.Argument(help="Folders of runs or campaigns, or result files.", autocompletion=complete_runs),
    ],
    trained_on: Annotated[
        list[str] | None,
        typer.Option(
            "--trained-on",
            metavar="RUN=NAMES",
            help="Families the reflector of a run was trained on, if its result does not say so; may be repeated.",
        ),
    ] = None,
    measure: Annotated[
        Literal["gain", "last_gain"], typer.Option("--measure", help="Gain of the best prompt, or of the last.")
    ] = "gain",
    output: Annotated[Format, typer.Option("--format", help="Format; csv and json have one cell per row.")] = "table",
) -> None:
    """Show how training a reflector on some families changes its gain in others, and mark negative transfer.

    A campaign stands for its cells: one with several suites shows which reflector helps in which world.
    """
    from ictbench import load_result
    from ictbench.cli.run_paths import runs_in
    from ictbench.results.transfer_matrix import transfer as transfer_cells  # this command has the same name

    results = {str(path): load_result(path) for path in runs_in(runs)}
    for pair in trained_on or []:
        run, families = _parse_trained_on(pair, results)
        results[run] = results[run].model_copy(update={"reflector_trained_on": families})
    for name, result in results.items():
        if not result.complete:
            print(f"{name} is incomplete: {result.owed} owed", file=sys.stderr)
    _print(transfer_cells(results), output, measure)


def _parse_trained_on(pair: str, results: dict[str, Result]) -> tuple[str, tuple[str, ...]]:
    """Return the run that RUN=NAMES names, and the families."""
    from ictbench import load_suite
    from ictbench.errors import ConfigError
    from ictbench.plugins import suggest
    from ictbench.suites.trained_on import parse_trained_on

    run, equals, names = pair.rpartition("=")
    if not equals:
        raise ConfigError(
            f"--trained-on {pair!r} is not of the form RUN=NAMES, e.g. {next(iter(results))}=minihack-v1/meta-train"
        )
    run = str(Path(run))
    if run not in results:
        raise ConfigError(f"--trained-on {pair!r}: {run!r} is not one of the runs; {suggest(run, results)}")
    suite = load_suite(results[run].suite.name)
    return run, parse_trained_on([name.strip() for name in names.split(",") if name.strip()], suite)


def _print(cells: tuple[Cell, ...], form: Format, measure: Gain) -> None:
    import json

    from ictbench.results.formatting import markdown_table
    from ictbench.results.table_text import csv_text
    from ictbench.results.transfer_matrix import legend, matrix

    if form == "json":
        print(json.dumps([{**cell.model_dump(mode="json"), "ranked": cell.ranked} for cell in cells], indent=1))
    elif form == "csv":
        import pandas as pd

        rows = [{**cell.model_dump(), "ranked": cell.ranked} for cell in cells]
        print(csv_text(pd.DataFrame(rows)), end="")
    else:
        head, rows_of_text = matrix(cells, measure)
        marks = [f"{mark} {meaning}" for mark, meaning in legend(cells, measure).items()]
        title = f"{'Gain' if measure == 'gain' else 'Last gain'} on test tasks, by what the reflector was trained on"
        if form == "md":
            print(f"{title}\n\n{markdown_table(head, rows_of_text)}")
            print("".join(f"\n{mark}  " for mark in marks))
        else:
            _print_table(title, head, rows_of_text, marks)


def _print_table(title: str, head: list[str], rows: list[list[str]], marks: list[str]) -> None:
    from ictbench.cli.terminal_table import add_row, grid, print_line, print_table

    table = grid(head, left=head[:3])
    for row in rows:
        add_row(table, row, "bold" if row[1:3] == ["mean", "held-out"] else None)
    print_line(title)
    print_table(table)
    for mark in marks:
        print_line(mark)

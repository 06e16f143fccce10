"""`ictbench power`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ictbench.cli.compare import Format
from ictbench.cli.help_page import COMPARE, page
from ictbench.cli.option_values import complete_runs

if TYPE_CHECKING:
    from ictbench.results import Power


PAGE = page(
    COMPARE,
    "docs/statistics.md",
    "ictbench power runs/mini",
    "ictbench power runs/none --against runs/mini --difference 0.05",
)


def power(
    run: Annotated[
        Path,
        typer.Argument(
            help="Folder of a pilot run, or its result file; at least 2 loops.", autocompletion=complete_runs
        ),
    ],
    against: Annotated[
        Path | None,
        typer.Option(
            "--against",
            autocompletion=complete_runs,
            metavar="RUN",
            help="Run of the other arm on the same tasks.",
            show_default=False,
        ),
    ] = None,
    difference: Annotated[
        float, typer.Option("--difference", help="Difference in success rate to show, above 0 and at most 1.")
    ] = 0.1,
    target: Annotated[
        float, typer.Option("--power", help="Probability with which the difference shall be significant.")
    ] = 0.8,
    measure: Annotated[
        Literal["best", "last"], typer.Option("--measure", help="Success under the best or the last prompt.")
    ] = "best",
    output: Annotated[Format, typer.Option("--format", help="Format of the output.")] = "table",
) -> None:
    """Say how many loops a comparison needs to show a difference of a stated size.

    The run is a pilot: its loops show how much loops differ. The test is that of ictbench compare.
    """
    import ictbench
    from ictbench.results.loops_needed_text import power_markdown

    other = ictbench.load_result(against) if against else None
    found = ictbench.power(ictbench.load_result(run), other, difference=difference, target=target, measure=measure)
    match output:
        case "table":
            _print_table(found)
        case "md":
            print(power_markdown(found), end="")
        case "csv":
            import pandas as pd

            from ictbench.results.table_text import csv_text

            rows = [{**found.model_dump(exclude={"rows"}), **row.model_dump()} for row in found.rows]
            print(csv_text(pd.DataFrame(rows)), end="")
        case "json":
            print(found.model_dump_json(indent=1))


def _print_table(found: Power) -> None:
    from ictbench.cli.terminal_table import add_row, grid, print_line, print_table
    from ictbench.results.loops_needed_text import COLUMNS, cells, sentences, title

    print_line(title(found))
    table = grid(COLUMNS, left=("family",))
    for row in found.rows:
        add_row(table, cells(row), "bold" if row in found.means[:1] else None)
    print_table(table)
    for sentence in sentences(found):
        print_line(sentence)

"""`ictbench compare`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from ictbench.cli.help_page import COMPARE, page
from ictbench.cli.option_values import complete_runs

Format = Literal["table", "md", "csv", "json"]


PAGE = page(
    COMPARE,
    "docs/statistics.md",
    "ictbench compare runs/none runs/mini",
    "ictbench compare runs/none runs/mini --measure last --format md",
)


def compare(
    runs: Annotated[
        list[Path],
        typer.Argument(
            help="Folders of runs, or result files; the others are compared with the first.",
            autocompletion=complete_runs,
        ),
    ],
    measure: Annotated[
        Literal["best", "last", "gain", "last_gain", "base"], typer.Option("--measure", help="Measure to compare.")
    ] = "best",
    force: Annotated[
        bool, typer.Option("--force", help="Compare runs that are not comparable, and report what differs.")
    ] = False,
    output: Annotated[Format, typer.Option("--format", help="Format of the output.")] = "table",
) -> None:
    """Compare runs on the same tasks: differences, intervals, p-values, conclusions.

    P-values come from sign flips of whole (family, loop) differences; if loops share their games, from a t test in
    which loops and games are crossed. Holm's correction applies across families and runs.
    """
    import ictbench
    from ictbench.cli.render_comparison import print_comparison
    from ictbench.cli.terminal import print_json
    from ictbench.results.table_text import csv_text
    from ictbench.results.tables import comparison_table
    from ictbench.results.verdict import comparison_markdown

    reference, *others = map(ictbench.load_result, runs)
    comparison = ictbench.compare(reference, *others, measure=measure, force=force)
    match output:
        case "table":
            print_comparison(comparison)
        case "md":
            print(comparison_markdown(comparison), end="")
        case "csv":
            print(csv_text(comparison_table(comparison)), end="")
        case "json":
            print_json(comparison.model_dump_json(indent=1))

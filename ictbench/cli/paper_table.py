"""`ictbench paper-table`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ictbench.cli.compare import Format
from ictbench.cli.help_page import COMPARE, page
from ictbench.cli.option_values import complete_runs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ictbench import Result
    from ictbench.results.paper_table import PaperRow

PAGE = page(
    COMPARE,
    "docs/paper.md",
    "ictbench paper-table campaigns/paper-minihack",
    "ictbench paper-table runs/untrained runs/trained --format md",
)


def paper_table(
    runs: Annotated[
        list[Path],
        typer.Argument(help="Folders of campaigns or runs, or result files.", autocompletion=complete_runs),
    ],
    output: Annotated[Format, typer.Option("--format", help="Format; csv and json have one row per line.")] = "table",
) -> None:
    """Print the paper's table: its known figures, and next to them those of runs of its suites."""
    from ictbench import load_result
    from ictbench.cli.run_paths import runs_in
    from ictbench.results.paper_table import paper_table as table_of  # this command has the same name

    results = {str(path): load_result(path) for path in runs_in(runs)}
    _print(table_of(results), results, output)


def _print(rows: tuple[PaperRow, ...], results: dict[str, Result], form: Format) -> None:
    import json

    from ictbench.results.formatting import markdown_table
    from ictbench.results.paper_table_text import HEAD, TITLE, notes, text_rows
    from ictbench.results.table_text import csv_text

    remarks = list(notes(rows, results))
    if form == "json":
        print(json.dumps({"rows": [row.model_dump(mode="json") for row in rows], "notes": remarks}, indent=1))
    elif form == "csv":
        import pandas as pd

        print(csv_text(pd.DataFrame([row.model_dump() for row in rows])), end="")
    elif form == "md":
        print(f"{TITLE}\n\n{markdown_table(HEAD, text_rows(rows))}\n")
        print("\n".join(f"{line}  " for line in remarks))
    else:
        _print_table(TITLE, HEAD, text_rows(rows), remarks)


def _print_table(title: str, head: Sequence[str], rows: list[list[str]], remarks: list[str]) -> None:
    """Print one table per suite, so that all columns fit next to each other."""
    from ictbench.cli.terminal_table import add_row, grid, print_line, print_table

    print_line(title)
    for suite in dict.fromkeys(row[0] for row in rows):
        table = grid(head[1:], left=[head[1], *head[3:5]])
        of_suite = [row[1:] for row in rows if row[0] == suite]
        for row, following in zip(of_suite, [*of_suite[1:], None], strict=True):
            add_row(table, row)
            if following and following[:2] != row[:2]:
                table.add_section()
        print_line("")
        print_line(suite, "bold")
        print_table(table)
    print_line("")
    for line in remarks:
        print_line(line)

"""`ictbench paper-table`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ictbench.cli.compare import Format
from ictbench.cli.help_page import COMPARE, page
from ictbench.cli.option_values import complete_runs

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ictbench import Result
    from ictbench.results.paper_table import PaperRow

PAGE = page(
    COMPARE,
    "docs/paper.md",
    "ictbench paper-table campaigns/paper-minihack",
    "ictbench paper-table runs/untrained runs/trained --format md",
)

CAMPAIGN = "campaign.json"
FOLDER_FILES = (CAMPAIGN, "run.json", "result.json")
"""Files of which the folder of a campaign or a run has one at least."""


def paper_table(
    runs: Annotated[
        list[Path],
        typer.Argument(help="Folders of campaigns or runs, or result files.", autocompletion=complete_runs),
    ],
    output: Annotated[Format, typer.Option("--format", help="Format; csv and json have one row per line.")] = "table",
) -> None:
    """Print the paper's table: its known figures, and next to them those of runs of its suites."""
    from ictbench import load_result
    from ictbench.results.paper_table import paper_table as table_of  # this command has the same name

    results = {str(path): load_result(path) for path in _runs_in(runs)}
    _print(table_of(results), results, output)


def _runs_in(paths: Sequence[Path]) -> Iterator[Path]:
    """Yield runs as they are, and the cells of campaigns that have a result; name the others."""
    from ictbench.errors import ConfigError
    from ictbench.runs.run_folder import RunFolder

    for path in paths:
        if path.is_dir() and not any((path / name).exists() for name in FOLDER_FILES):
            raise ConfigError(f"{path} is neither the folder of a campaign nor that of a run; name one of them")
        if not path.exists():
            raise ConfigError(f"there is no {path}; name the folder of a campaign or of a run, or the file of a result")
        if not (path / CAMPAIGN).exists():
            yield path
            continue
        cells = [RunFolder(cell) for cell in sorted((path / "cells").glob("*"))]
        finished = [cell.path for cell in cells if cell.result.exists()]
        if not finished:
            raise ConfigError(f"no cell of campaign {path} has a result yet; run the campaign to its end")
        for cell in cells:
            if cell.path not in finished:
                print(f"{cell.path} has no result yet; continue the campaign", file=sys.stderr)
        yield from finished


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

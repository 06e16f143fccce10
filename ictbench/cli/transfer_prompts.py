"""`ictbench transfer-prompts`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ictbench.cli.command_options import takes_run_options
from ictbench.cli.compare import Format
from ictbench.cli.help_page import COMPARE, page
from ictbench.cli.option_values import complete_runs
from ictbench.errors import ConfigError
from ictbench.runs.option import OUTPUT, PLAYERS

if TYPE_CHECKING:
    from ictbench.results.prompt_transfer import PromptTransfer

PAGE = page(
    COMPARE,
    "docs/results.md",
    "ictbench transfer-prompts runs/mini --actor openai/gpt-4.1-nano --out runs/mini-on-nano",
    "ictbench transfer-prompts runs/mini --played runs/mini-on-nano --format md",
)


@takes_run_options("transfer")
def transfer_prompts(
    runs: Annotated[
        list[Path],
        typer.Argument(metavar="RUN…", help="Folders of finished runs.", autocompletion=complete_runs),
    ],
    actor: Annotated[
        str | None,
        typer.Option("--actor", help="Actor that plays the prompts of the runs.", rich_help_panel=PLAYERS),
    ] = None,
    played: Annotated[
        list[Path] | None,
        typer.Option(
            "--played",
            metavar="RUN",
            help="Folder of a run that has played them, instead of --actor; one for each RUN, in its order.",
            rich_help_panel=PLAYERS,
        ),
    ] = None,
    suite: Annotated[Path | None, typer.Option("--suite", help="File of a suite that is not installed.")] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            help="Folder of the run that is played; with several RUNs, of their folders. A folder of the same run is "
            "continued.",
            rich_help_panel=OUTPUT,
            show_default="a new folder in runs/",
        ),
    ] = None,
    output: Annotated[Format, typer.Option("--format", help="Format of the tables.", rich_help_panel=OUTPUT)] = "table",
    **options: Any,
) -> None:
    """Let another actor play the prompts that were learned with one actor, on the same test tasks.

    The new run is a control, never ranked. Its folder holds the tables as transfer.csv, transfer.json and transfer.md.
    """
    import ictbench
    from ictbench.cli.live_progress import watch
    from ictbench.results.prompt_transfer import prompt_transfer
    from ictbench.runs.transferred_prompts import source_result, transfer_options, write_transfer

    if (actor is None) == (not played):
        raise ConfigError("name the actor that plays the prompts, e.g. --actor rules, or runs that did, with --played")
    if played and len(played) != len(runs):
        raise ConfigError(f"--played names {len(played)} runs for {len(runs)}; name one for each")
    names = [run.resolve().name for run in runs]
    if repeated := next((name for name in names if names.count(name) > 1), None):
        raise ConfigError(f"two of the runs have the name {repeated!r}; give them in two commands")
    sources = [source_result(str(run)) for run in runs]  # all are checked before anything is played
    transfers = []
    for number, (run, source) in enumerate(zip(runs, sources, strict=True)):
        if played:
            transfers.append(prompt_transfer(source, ictbench.load_result(played[number])))
            continue
        folder = out / names[number] if out and len(runs) > 1 else out
        with watch(output != "table") as on_start:
            finished = ictbench.run(
                actor=actor,
                out=folder,
                on_start=on_start,
                **transfer_options(str(run), None if suite is None else str(suite)),
                **options,
            )
        transfers.append(prompt_transfer(source, finished.result))
        write_transfer(finished.folder, transfers[-1])
        if output == "table":
            print(f"Run: {finished.folder}")
    _print(transfers, output)


def _print(transfers: list[PromptTransfer], form: Format) -> None:
    import pandas as pd

    from ictbench.cli.terminal import print_json
    from ictbench.cli.terminal_table import add_row, grid, print_line, print_table
    from ictbench.results.formatting import INTERVAL_MEANING
    from ictbench.results.table_text import csv_text

    if form == "json":
        print_json(json.dumps([transfer.model_dump(mode="json") for transfer in transfers], indent=1))
    elif form == "csv":
        print(csv_text(pd.DataFrame([row for transfer in transfers for row in transfer.records()])), end="")
    elif form == "md":
        print("\n".join(transfer.markdown() for transfer in transfers), end="")
    else:
        for transfer in transfers:
            table = grid(transfer.head(), left=("family",))
            for row, cells in zip(transfer.rows, transfer.cells(), strict=True):
                add_row(table, cells, "bold" if row.family is None and row.role == "held-out" else None)
            print_line(transfer.title)
            print_table(table)
        if any(transfer.has_intervals for transfer in transfers):
            print_line(INTERVAL_MEANING)

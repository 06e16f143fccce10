"""`ictbench export`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from ictbench.cli.help_page import PUBLISH, page
from ictbench.cli.option_values import complete_runs

Format = Annotated[
    Literal["parquet", "csv", "jsonl", "datasets"],
    typer.Option("--format", help="Format of the tables; datasets is for load_from_disk of Hugging Face's package."),
]


PAGE = page(
    PUBLISH,
    "docs/export.md",
    "ictbench export runs/mini --format csv",
    "ictbench export runs/mini --push-to-hub me/my-run",
)


def export(
    run: Annotated[Path, typer.Argument(help="Folder of a run.", autocompletion=complete_runs)],
    form: Format = "parquet",
    out: Annotated[
        Path | None, typer.Option("--out", help="New folder to write.", show_default="RUN/export-FORMAT")
    ] = None,
    push_to_hub: Annotated[
        str | None,
        typer.Option("--push-to-hub", metavar="OWNER/NAME", help="Also upload it, with your Hugging Face token."),
    ] = None,
    public: Annotated[
        bool, typer.Option("--public", help="Make a new data set on the Hub public instead of private.")
    ] = False,
) -> None:
    """Write the episodes, reflections and results of a run as three tables with a data set card."""
    from ictbench import load_run
    from ictbench.errors import ConfigError
    from ictbench.export import export_run, push
    from ictbench.export.hub import check_push

    loaded = load_run(run)
    if push_to_hub is not None:
        if form == "datasets":
            raise ConfigError("--push-to-hub: the Hub reads parquet, csv and jsonl; choose one of them as --format")
        check_push(push_to_hub)
    elif public:
        raise ConfigError("--public needs --push-to-hub OWNER/NAME")
    folder = export_run(loaded, out or run / f"export-{form}", form)
    print(f"Files: {folder}")
    if push_to_hub is not None:
        print(f"Pushed: {push(folder, push_to_hub, public=public)}")

"""`ictbench export`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Format(StrEnum):
    """How tables lie on disk."""

    PARQUET = "parquet"
    CSV = "csv"
    JSONL = "jsonl"
    DATASETS = "datasets"


FORMAT = typer.Option("--format", help="datasets is what load_from_disk of Hugging Face's package reads.")


def export(
    run: Annotated[Path, typer.Argument(help="Folder of a run.")],
    form: Annotated[Format, FORMAT] = Format.PARQUET,
    out: Annotated[
        Path | None, typer.Option("--out", help="New folder to write.", show_default="RUN/export-FORMAT")
    ] = None,
    push_to_hub: Annotated[
        str | None,
        typer.Option("--push-to-hub", metavar="OWNER/NAME", help="Also upload it, with your Hugging Face token."),
    ] = None,
    public: Annotated[bool, typer.Option("--public", help="What is pushed anew is public, not private.")] = False,
) -> None:
    """Write a run's episodes, reflections and results as three tables with a data set card."""
    from ictbench import load_run
    from ictbench.errors import ConfigError
    from ictbench.export import export_run, push
    from ictbench.export.hub import check_push

    loaded = load_run(run)
    if push_to_hub is not None:
        if form is Format.DATASETS:
            raise ConfigError("--push-to-hub: the Hub reads parquet, csv and jsonl; choose one of them as --format")
        check_push(push_to_hub)
    elif public:
        raise ConfigError("--public is about what is pushed: name where to with --push-to-hub OWNER/NAME")
    folder = export_run(loaded, out or run / f"export-{form.value}", form.value)
    print(f"Files: {folder}")
    if push_to_hub is not None:
        print(f"Pushed: {push(folder, push_to_hub, public=public)}")

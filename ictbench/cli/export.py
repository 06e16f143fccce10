"""`ictbench export`."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated, Literal

import typer

from ictbench.cli.help_page import PUBLISH, page
from ictbench.cli.option_values import complete_runs

Format = Annotated[
    Literal["parquet", "csv", "jsonl", "datasets"],
    typer.Option("--format", help="Format of the tables; datasets is for load_from_disk of Hugging Face's package."),
]

RunFormat = Annotated[
    Literal["parquet", "csv", "jsonl", "datasets", "hf-eval", "inspect"],
    typer.Option(
        "--format",
        help="Format of the tables; datasets is for load_from_disk of Hugging Face's package; hf-eval writes the "
        "measures for the page of a model on its Hub instead; inspect writes logs of Inspect AI instead.",
    ),
]


PAGE = page(
    PUBLISH,
    "docs/export.md",
    "ictbench export runs/mini --format csv",
    "ictbench export runs/mini --format inspect",
    "ictbench export runs/mini --push-to-hub me/my-run",
)


def export(
    run: Annotated[Path, typer.Argument(help="Folder of a run.", autocompletion=complete_runs)],
    form: RunFormat = "parquet",
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
    dataset: Annotated[
        str | None,
        typer.Option(
            "--dataset",
            metavar="OWNER/NAME",
            help="With hf-eval: data set of the benchmark on the Hub.",
            show_default="",
        ),
    ] = None,
    source_url: Annotated[
        str | None,
        typer.Option("--source-url", help="With hf-eval: https://… of a report or a board's entry.", show_default=""),
    ] = None,
) -> None:
    """Write the episodes, reflections and results of a run as three tables with a data set card."""
    import ictbench
    from ictbench.errors import ConfigError
    from ictbench.exports import export_hf_eval, push
    from ictbench.exports.hub import check_push

    loaded = ictbench.load_run(run)
    if form == "hf-eval":
        if dataset is None:
            raise ConfigError("--format hf-eval needs --dataset OWNER/NAME, the benchmark's data set on the Hub")
        if push_to_hub is not None or public:
            raise ConfigError("--push-to-hub uploads tables; upload the entries with `hf upload OWNER/MODEL FOLDER .`")
        print(f"File: {export_hf_eval(loaded, out or run / 'export-hf-eval', dataset=dataset, source_url=source_url)}")
        return
    if form == "inspect":
        if name := _first_given(dataset=dataset, source_url=source_url, push_to_hub=push_to_hub, public=public):
            raise ConfigError(f"--{name} is not for --format inspect, which writes logs")
        from ictbench.exports.inspect_logs import export_inspect

        logs = export_inspect(loaded, out or run / "export-inspect")
        print(f"Logs: {logs} (inspect view --log-dir {shlex.quote(str(logs))})")
        return
    if dataset is not None or source_url is not None:
        raise ConfigError("--dataset and --source-url are for --format hf-eval")
    if push_to_hub is not None:
        if form == "datasets":
            raise ConfigError("--push-to-hub: the Hub reads parquet, csv and jsonl; choose one of them as --format")
        check_push(push_to_hub)
    elif public:
        raise ConfigError("--public needs --push-to-hub OWNER/NAME")
    folder = ictbench.export(loaded, out, file_format=form)
    print(f"Files: {folder}")
    if push_to_hub is not None:
        print(f"Pushed: {push(folder, push_to_hub, public=public)}")


def _first_given(**options: object) -> str:
    """Return the flag of the first option that was given, without its dashes; empty if none was."""
    return next((name.replace("_", "-") for name, value in options.items() if value not in (None, False)), "")

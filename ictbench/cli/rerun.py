"""`ictbench rerun`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ictbench.cli.command_options import takes_run_options
from ictbench.runs.options import OUTPUT


@takes_run_options("rerun")
def rerun(
    path: Annotated[Path, typer.Argument(metavar="SUBMISSION|RUN", help="Folder of a submission, or of a run.")],
    loops: Annotated[
        int | None,
        typer.Option("--loops", min=3, help="Loops a family.", show_default="as many as it has"),
    ] = None,
    margin: Annotated[float, typer.Option("--margin", help="What counts as equal, as a share of test tasks.")] = 0.10,
    suite: Annotated[
        Path | None, typer.Option("--suite", metavar="FILE", help="Of a suite that does not ship with ictbench.")
    ] = None,
    trust_code: Annotated[
        bool, typer.Option("--trust-code", help="Import classes, and use model options, that it names.")
    ] = False,
    folder: Annotated[
        Path | None,
        typer.Option(
            "--folder",
            help="Of the new run; one that was begun is continued.",
            rich_help_panel=OUTPUT,
            show_default="one in runs/, named for the digest",
        ),
    ] = None,
    by: Annotated[str, typer.Option("--by", help="Who says so, for the record.", rich_help_panel=OUTPUT)] = "",
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="FILE",
            help="Where the record goes.",
            rich_help_panel=OUTPUT,
            show_default="RUN/rerun.json, or the board's verifications/<slug>/rerun.json",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the record, and nothing else.")] = False,
    **options: Any,
) -> None:
    """Run the models of a submission again, on loops drawn by its digest, and test whether it gained as much.

    Its held-out families are run. Exit code 1: it is not shown to be equivalent, or the run stopped. 2: it cannot be
    run here.
    """
    from ictbench.audit.rerun import rerun as run_again
    from ictbench.audit.target import record_path
    from ictbench.cli.live_progress import watch
    from ictbench.cli.render_checks import print_check, print_verdict

    place = out or record_path(path, "rerun")
    with watch(as_json) as on_start:
        found = run_again(
            path,
            folder=folder,
            loops=loops,
            margin=margin,
            suite=suite,
            trust_code=trust_code,
            by=by,
            on_start=on_start,
            **options,
        )
    found.write(place)
    if as_json:
        print(found.model_dump_json(indent=1, by_alias=True))
    else:
        for check in found.checks:
            print_check(check)
        print_verdict(found)
        print(f"Record: {place}")
    if not found.passed:
        raise typer.Exit(1)

"""`ictbench rerun`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ictbench.cli.command_options import takes_run_options
from ictbench.cli.help_page import PUBLISH, page
from ictbench.cli.option_values import complete_runs
from ictbench.runs.option import OUTPUT

PAGE = page(
    PUBLISH,
    "docs/verify.md",
    "ictbench rerun runs/mini --loops 5",
    "ictbench rerun leaderboards/minihack-v1/submissions/rules --by Me",
)


@takes_run_options("rerun")
def rerun(
    path: Annotated[
        Path,
        typer.Argument(
            metavar="SUBMISSION|RUN", help="Folder of a submission or of a run.", autocompletion=complete_runs
        ),
    ],
    loops: Annotated[
        int | None,
        typer.Option("--loops", min=3, help="Loops per family.", show_default="as many as the result has"),
    ] = None,
    margin: Annotated[float, typer.Option("--margin", help="Share of test tasks that counts as equal.")] = 0.10,
    suite: Annotated[Path | None, typer.Option("--suite", help="File of a suite that is not installed.")] = None,
    salt: Annotated[
        str | None,
        typer.Option(
            "--salt",
            help="Seed of the loops, which the submitter must not know.",
            show_default="that of the folder's unfinished rerun, else random",
        ),
    ] = None,
    actor_model: Annotated[
        str | None,
        typer.Option(
            "--actor-model",
            metavar="PROVIDER/MODEL",
            help="The actor's model here, e.g. a folder with the same weights.",
            show_default="the one that the result names",
        ),
    ] = None,
    reflector_model: Annotated[
        str | None,
        typer.Option("--reflector-model", metavar="PROVIDER/MODEL", help="The same for the reflector."),
    ] = None,
    trust_code: Annotated[
        bool, typer.Option("--trust-code", help="Import the classes, and use the model options, that the result names.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            help="Folder of the new run; an unfinished one is continued.",
            rich_help_panel=OUTPUT,
            show_default="a folder in runs/, named after the digest",
        ),
    ] = None,
    by: Annotated[str, typer.Option("--by", help="Your name, for the record.", rich_help_panel=OUTPUT)] = "",
    record: Annotated[
        Path | None,
        typer.Option(
            "--record",
            help="File of the record.",
            rich_help_panel=OUTPUT,
            show_default="RUN/rerun.json, or the board's verifications/<slug>/rerun.json",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print only the record, as JSON.")] = False,
    **options: Any,
) -> None:
    """Run the models of a submission again, on loops that it cannot foresee, and test whether the gain is equivalent.

    Only held-out families are run. Exit code 1: equivalence is not shown, or the run stopped. Exit code 2: the
    submission cannot be run here.
    """
    from ictbench.audit.rerun import rerun as run_again  # this command has the same name
    from ictbench.audit.target import record_path
    from ictbench.audit.verification import Verification
    from ictbench.cli.live_progress import watch
    from ictbench.cli.render_checks import print_check, print_verdict
    from ictbench.cli.terminal import print_json

    record_file = record or record_path(path, "rerun")
    Verification.check_writable(record_file)
    with watch(as_json) as on_start:
        verification = run_again(
            path,
            folder=out,
            loops=loops,
            margin=margin,
            suite=suite,
            salt=salt,
            actor_model=actor_model,
            reflector_model=reflector_model,
            trust_code=trust_code,
            by=by,
            on_start=on_start,
            **options,
        )
    verification.write(record_file)
    if as_json:
        print_json(verification.model_dump_json(indent=1, by_alias=True))
    else:
        for check in verification.checks:
            print_check(check)
        print_verdict(verification)
        print(f"Record: {record_file}")
    if not verification.passed:
        raise typer.Exit(1)

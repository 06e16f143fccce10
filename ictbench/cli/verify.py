"""`ictbench verify`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ictbench.cli.command_options import takes_run_options
from ictbench.cli.help_page import PUBLISH, page
from ictbench.cli.option_values import complete_runs

PAGE = page(
    PUBLISH,
    "docs/verify.md",
    "ictbench verify runs/mini",
    "ictbench verify leaderboards/minihack-v1/submissions/rules --sample 100",
)


@takes_run_options("verify")
def verify(
    path: Annotated[
        Path,
        typer.Argument(
            metavar="RUN|SUBMISSION", help="Folder of a run or of a submission.", autocompletion=complete_runs
        ),
    ],
    sample: Annotated[
        int | None,
        typer.Option(
            "--sample", min=1, help="Number of episodes to replay, drawn at random.", show_default="500 of a submission"
        ),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Replay all episodes.", show_default="for a run")] = False,
    suite: Annotated[Path | None, typer.Option("--suite", help="File of a suite that is not installed.")] = None,
    salt: Annotated[
        str | None,
        typer.Option(
            "--salt", help="Part of the seed of the sample, besides the digest of the target.", show_default="random"
        ),
    ] = None,
    by: Annotated[str, typer.Option("--by", help="Name of the verifier, for the record.")] = "",
    record: Annotated[
        Path | None,
        typer.Option(
            "--record",
            help="File of the record.",
            show_default="RUN/verification.json, or the board's verifications/<slug>/replayed.json",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the record as JSON and nothing else.")] = False,
    **options: Any,
) -> None:
    """Verify a run or a submission: recompute its result from its records, then replay the recorded actions.

    Nothing that it contains is executed. Exit code 0: no check failed. 1: a check failed. 2: it cannot be verified
    here.
    """
    import ictbench
    from ictbench.audit.target import record_path
    from ictbench.audit.verification import Verification
    from ictbench.cli.render_checks import print_check, print_verdict, replay_progress
    from ictbench.cli.terminal import print_json
    from ictbench.errors import ConfigError

    if sample is not None and everything:
        raise ConfigError(f"--sample {sample} and --all contradict each other; leave one out")
    record_file = record or record_path(path, "replayed")
    Verification.check_writable(record_file)
    with replay_progress(as_json) as on_played:
        verification = ictbench.verify(
            path,
            sample="all" if everything else sample,
            suite=suite,
            salt=salt,
            by=by,
            on_check=(lambda check: None) if as_json else print_check,
            on_played=on_played,
            **options,
        )
    verification.write(record_file)
    if as_json:
        print_json(verification.model_dump_json(indent=1, by_alias=True))
    else:
        print_verdict(verification)
        print(f"Record: {record_file}")
    if not verification.passed:
        raise typer.Exit(1)

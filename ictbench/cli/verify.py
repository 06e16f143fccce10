"""`ictbench verify`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def verify(
    path: Annotated[Path, typer.Argument(metavar="RUN|SUBMISSION", help="Folder of a run, or of a submission.")],
    sample: Annotated[
        int | None,
        typer.Option("--sample", min=1, help="Play so many episodes again.", show_default="500 of a submission"),
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Play all episodes again.", show_default="for a run")
    ] = False,
    workers: Annotated[
        int | None, typer.Option("--workers", min=1, help="Processes that play.", show_default="as cores")
    ] = None,
    suite: Annotated[
        Path | None, typer.Option("--suite", metavar="FILE", help="Of a suite that does not ship with ictbench.")
    ] = None,
    salt: Annotated[
        str | None,
        typer.Option("--salt", help="What the sample is drawn by, beside the digest.", show_default="random"),
    ] = None,
    by: Annotated[str, typer.Option("--by", help="Who says so, for the record.")] = "",
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="FILE",
            help="Where the record goes.",
            show_default="RUN/verification.json, or the board's verifications/<slug>/replayed.json",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the record, and nothing else.")] = False,
) -> None:
    """Verify a run or a submission: work its result out anew, and play its recorded actions again.

    Nothing that it holds is executed. Exit code 1: a check failed. 0: none did. 2: it cannot be verified here.
    """
    import ictbench
    from ictbench.audit.target import record_path
    from ictbench.cli.render_checks import print_check, print_verdict, replay_progress
    from ictbench.errors import ConfigError

    if sample is not None and everything:
        raise ConfigError(f"--sample {sample} and --all are two things; leave one out")
    place = out or record_path(path, "replayed")
    with replay_progress(as_json) as on_played:
        found = ictbench.verify(
            path,
            sample="all" if everything else sample,
            workers=workers,
            suite=suite,
            salt=salt,
            by=by,
            on_check=(lambda check: None) if as_json else print_check,
            on_played=on_played,
        )
    found.write(place)
    if as_json:
        print(found.model_dump_json(indent=1, by_alias=True))
    else:
        print_verdict(found)
        print(f"Record: {place}")
    if not found.passed:
        raise typer.Exit(1)

"""`ictbench report`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def report(
    runs: Annotated[
        list[Path], typer.Argument(help="Folders of runs; several are shown side by side.", metavar="RUN…")
    ],
    out: Annotated[
        Path | None,
        typer.Option("--out", help="File to write: RUN/report.html unless told, ./report.html for several runs."),
    ] = None,
    episodes: Annotated[
        str,
        typer.Option("--episodes", help="Trajectories in the page: all, test, none, or at most so many of each run."),
    ] = "20000",
    show: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
) -> None:
    """Write a page that shows runs: curves, gains, prompts, costs, and every game move by move. It needs no network."""
    from ictbench import load_run, write_report
    from ictbench.web.report import parse_choice

    choice = parse_choice(episodes)
    path = write_report([load_run(run) for run in runs], out, episodes=choice)
    print(path)
    if show:
        import webbrowser

        webbrowser.open(path.resolve().as_uri())

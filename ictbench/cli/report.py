"""`ictbench report`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ictbench.cli.help_page import LOOK, page
from ictbench.cli.option_values import complete_runs

PAGE = page(
    LOOK,
    "docs/report.md",
    "ictbench report runs/mini --open",
    "ictbench report runs/none runs/mini --out report.html",
)


def report(
    runs: Annotated[
        list[Path],
        typer.Argument(
            help="Folders of runs; several are shown side by side.", metavar="RUN…", autocompletion=complete_runs
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="FILE",
            help="File to write.",
            show_default="RUN/report.html; ./report.html for several runs",
        ),
    ] = None,
    episodes: Annotated[
        str,
        typer.Option("--episodes", help="Episodes in the page: all, test, none, or a maximum number per run."),
    ] = "20000",
    show: Annotated[bool, typer.Option("--open", help="Open the page in the browser.")] = False,
) -> None:
    """Write a page that shows runs: curves, gains, prompts, costs, every episode step by step. It works offline."""
    from ictbench import write_report
    from ictbench.web.report import parse_choice

    choice = parse_choice(episodes)
    path = write_report(runs, out, episodes=choice)
    print(path)
    if show:
        import webbrowser

        webbrowser.open(path.resolve().as_uri())

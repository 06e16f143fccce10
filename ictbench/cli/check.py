"""`ictbench check`."""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

import typer

from ictbench.cli.help_page import COMPARE, page
from ictbench.cli.option_values import complete_runs


class Measure(StrEnum):
    """Measure to check; an enumeration, because typer takes no list of literals."""

    BEST = "best"
    LAST = "last"
    GAIN = "gain"
    LAST_GAIN = "last_gain"
    BASE = "base"


PAGE = page(
    COMPARE,
    "docs/ci.md",
    "ictbench check runs/new --against baseline.json",
    "ictbench check runs/new --against runs/old --tolerance 0.1 --junit check.xml",
)


def check(
    run: Annotated[Path, typer.Argument(help="Folder of a run, or a result file.", autocompletion=complete_runs)],
    against: Annotated[
        Path,
        typer.Option("--against", autocompletion=complete_runs, help="Folder of a run, or a committed result file."),
    ],
    tolerance: Annotated[float, typer.Option("--tolerance", help="How far a measure may fall, as a share.")] = 0.05,
    measure: Annotated[
        list[Measure] | None,
        typer.Option("--measure", help="Measure to check; may be given several times.", show_default="best"),
    ] = None,
    junit: Annotated[
        Path | None, typer.Option("--junit", metavar="FILE", help="Write the outcome as JUnit XML.")
    ] = None,
    github: Annotated[
        bool,
        typer.Option("--github", help="Print GitHub annotations; add a summary to $GITHUB_STEP_SUMMARY if it is set."),
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Check runs that are not comparable, and report what differs.")
    ] = False,
    output: Annotated[Literal["table", "md", "json"], typer.Option("--format", help="Format of the output.")] = "table",
) -> None:
    """Check a run for regressions against a baseline.

    Exit code 1: a measure fell by more than the tolerance, and significantly (one-sided p ≤ 0.05 on the same tasks).
    Exit code 0: no measure did. Exit code 2: the runs cannot be compared.
    """
    import ictbench
    from ictbench.cli.render_comparison import print_check
    from ictbench.cli.terminal import print_json
    from ictbench.results.ci_report import github_annotations, junit_xml, markdown

    results = [ictbench.load_result(path) for path in (run, against)]
    report = ictbench.check(
        *results, tolerance=tolerance, measures=[name.value for name in measure or [Measure.BEST]], force=force
    )
    match output:
        case "table":
            print_check(report)
        case "md":
            print(markdown(report), end="")
        case "json":
            print_json(report.model_dump_json(indent=1))
    if junit:
        _write(junit, junit_xml(report), "w")
    if github:
        for line in github_annotations(report):
            print(line)
        if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
            _write(Path(summary), markdown(report), "a")
    if report.failed:
        raise typer.Exit(1)


def _write(path: Path, text: str, mode: str) -> None:
    try:
        with open(path, mode, encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        from ictbench.errors import ConfigError

        raise ConfigError(f"{path} cannot be written ({error.strerror}); choose another file") from error

"""`ictbench check`."""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from ictbench.cli.help_page import COMPARE, page
from ictbench.cli.option_values import complete_runs

if TYPE_CHECKING:
    from ictbench.results import Check


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
    "ictbench check campaigns/controls --against baseline.json",
)


def check(
    run: Annotated[
        Path, typer.Argument(help="Folder of a run or a campaign, or a result file.", autocompletion=complete_runs)
    ],
    against: Annotated[
        Path,
        typer.Option(
            "--against", autocompletion=complete_runs, help="The same of the baseline, e.g. a committed file."
        ),
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
    """Check a run, or all cells of a campaign, for regressions against a baseline.

    Exit code 1: a measure fell by more than the tolerance, and significantly (one-sided p ≤ 0.05 on the same tasks), or
    a cell of the baseline is not complete. Exit code 0: neither. Exit code 2: the runs cannot be compared.
    """
    from ictbench.campaigns.check_campaign import CampaignCheck, check_campaign, is_campaign
    from ictbench.cli.render_comparison import print_check, print_missing
    from ictbench.cli.terminal import print_json
    from ictbench.results import regression_check
    from ictbench.results.ci_report import github_annotations, junit_xml, markdown
    from ictbench.runs.api import load_result

    measures: list[Any] = [name.value for name in measure or [Measure.BEST]]
    report: Check | CampaignCheck
    if is_campaign(run) or is_campaign(against):
        report = check_campaign(run, against, tolerance=tolerance, measures=measures, force=force)
    else:
        report = regression_check.check(
            load_result(run), load_result(against), tolerance=tolerance, measures=measures, force=force
        )
    checks, missing = (report.checks, report.missing) if isinstance(report, CampaignCheck) else ((report,), ())
    summary = "\n".join([*map(markdown, checks), *(f"Failed: cell {name} is not complete.\n" for name in missing)])
    match output:
        case "table":
            for one in checks:
                print_check(one)
            print_missing(missing)
        case "md":
            print(summary, end="")
        case "json":
            print_json(report.model_dump_json(indent=1))
    if junit:
        _write(junit, junit_xml(*checks, missing=missing), "w")
    if github:
        for line in github_annotations(*checks, missing=missing):
            print(line)
        if path := os.environ.get("GITHUB_STEP_SUMMARY"):
            _write(Path(path), summary, "a")
    if report.failed:
        raise typer.Exit(1)


def _write(path: Path, text: str, mode: str) -> None:
    try:
        with open(path, mode, encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        from ictbench.errors import ConfigError

        raise ConfigError(f"{path} cannot be written ({error.strerror}); choose another file") from error

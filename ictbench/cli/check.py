"""`ictbench check`."""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ictbench.cli.compare import Measure

if TYPE_CHECKING:
    from ictbench.results.pairing import Measure as MeasureName


class Format(StrEnum):
    """How it is printed."""

    TABLE = "table"
    MD = "md"
    JSON = "json"


def check(
    run: Annotated[Path, typer.Argument(help="Folder of a run, or a result file.")],
    against: Annotated[
        Path, typer.Option("--against", metavar="BASELINE", help="Folder of a run, or a committed result file.")
    ],
    tolerance: Annotated[float, typer.Option("--tolerance", help="How far a measure may fall, as a share.")] = 0.05,
    measure: Annotated[
        list[Measure] | None,
        typer.Option("--measure", help="What is checked; may be given several times.", show_default="best"),
    ] = None,
    junit: Annotated[
        Path | None, typer.Option("--junit", metavar="FILE", help="Write the outcome as JUnit XML.")
    ] = None,
    github: Annotated[
        bool,
        typer.Option("--github", help="Print GitHub annotations, and add a summary to $GITHUB_STEP_SUMMARY if set."),
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Check what is not comparable, and say so.")] = False,
    output: Annotated[Format, typer.Option("--format", help="How it is printed.")] = Format.TABLE,
) -> None:
    """Check a run for regressions against a baseline.

    Exit code 1: a measure fell by more than the tolerance, and the 95 % interval of the paired difference excludes
    zero. 0: none did. 2: the two cannot be compared.
    """
    import ictbench
    from ictbench.cli.render_comparison import print_check
    from ictbench.results.ci_report import github_annotations, junit_xml, markdown

    results = [ictbench.load_result(path) for path in (run, against)]
    measures: list[MeasureName] = [one.value for one in measure or [Measure.BEST]]
    found = ictbench.check(*results, tolerance=tolerance, measures=measures, force=force)
    match output:
        case Format.TABLE:
            print_check(found)
        case Format.MD:
            print(markdown(found), end="")
        case Format.JSON:
            print(found.model_dump_json(indent=1))
    if junit:
        _write(junit, junit_xml(found), "w")
    if github:
        for line in github_annotations(found):
            print(line)
        if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
            _write(Path(summary), markdown(found), "a")
    if found.failed:
        raise typer.Exit(1)


def _write(path: Path, text: str, mode: str) -> None:
    try:
        with open(path, mode, encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        from ictbench.errors import ConfigError

        raise ConfigError(f"{path} cannot be written ({error.strerror}); name another file") from error

"""`ictbench compare`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Measure(StrEnum):
    """What is compared."""

    BEST = "best"
    LAST = "last"
    GAIN = "gain"
    LAST_GAIN = "last_gain"
    BASE = "base"


class Format(StrEnum):
    """How it is printed."""

    TABLE = "table"
    MD = "md"
    CSV = "csv"
    JSON = "json"


def compare(
    runs: Annotated[
        list[Path], typer.Argument(help="Folders of runs, or result files; the first is what others are compared with.")
    ],
    measure: Annotated[Measure, typer.Option("--measure", help="What is compared.")] = Measure.BEST,
    force: Annotated[bool, typer.Option("--force", help="Compare what is not comparable, and say so.")] = False,
    output: Annotated[Format, typer.Option("--format", help="How it is printed.")] = Format.TABLE,
) -> None:
    """Compare runs on the same tasks: differences, intervals, p-values, and what can be concluded.

    P-values come from sign flips of whole (family, loop) differences, corrected after Holm across families and runs.
    """
    import ictbench
    from ictbench.cli.render_comparison import print_comparison
    from ictbench.results.tables import comparison_table
    from ictbench.results.verdict import comparison_markdown

    reference, *others = map(ictbench.load_result, runs)
    found = ictbench.compare(reference, *others, measure=measure.value, force=force)
    match output:
        case Format.TABLE:
            print_comparison(found)
        case Format.MD:
            print(comparison_markdown(found), end="")
        case Format.CSV:
            print(comparison_table(found).to_csv(index=False, float_format="%.6g", lineterminator="\n"), end="")
        case Format.JSON:
            print(found.model_dump_json(indent=1))

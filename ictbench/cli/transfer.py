"""`ictbench transfer`."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ictbench.cli.compare import Format

if TYPE_CHECKING:
    from ictbench import Result
    from ictbench.results.transfer_matrix import Cell, Gain


class Measure(StrEnum):
    """Which gain is shown."""

    GAIN = "gain"
    LAST_GAIN = "last_gain"


def transfer(
    runs: Annotated[list[Path], typer.Argument(help="Folders of runs, or result files.")],
    trained_on: Annotated[
        list[str] | None,
        typer.Option(
            "--trained-on",
            metavar="RUN=NAMES",
            help="What a run's reflector was trained on, where its result does not say or is wrong; may be repeated.",
        ),
    ] = None,
    measure: Annotated[Measure, typer.Option("--measure", help="Of the best prompt, or of the last.")] = Measure.GAIN,
    output: Annotated[Format, typer.Option("--format", help="csv and json have one cell a row.")] = Format.TABLE,
) -> None:
    """Show what training a reflector on some families brings in others, and mark negative transfer."""
    from ictbench import load_result
    from ictbench.results.transfer_matrix import transfer as side_by_side  # the command has its name

    results = {str(path): load_result(path) for path in runs}
    for pair in trained_on or []:
        run, said = _stated(pair, results)
        results[run] = results[run].model_copy(update={"reflector_trained_on": said})
    for name, result in results.items():
        if not result.complete:
            print(f"{name} is incomplete: {result.owed} owed", file=sys.stderr)
    _print(side_by_side(results), output, measure.value)


def _stated(pair: str, results: dict[str, Result]) -> tuple[str, tuple[str, ...]]:
    """Whose reflector was trained on what."""
    from ictbench import load_suite
    from ictbench.errors import ConfigError
    from ictbench.plugins import suggest
    from ictbench.suites.trained_on import parse_trained_on

    run, equals, names = pair.rpartition("=")
    if not equals:
        raise ConfigError(f"--trained-on {pair!r} is no RUN=NAMES, e.g. {next(iter(results))}=minihack-v1/meta-train")
    run = str(Path(run))
    if run not in results:
        raise ConfigError(f"--trained-on {pair!r}: {run!r} is none of the runs; {suggest(run, results)}")
    suite = load_suite(results[run].suite.name)
    return run, parse_trained_on([name.strip() for name in names.split(",") if name.strip()], suite)


def _print(cells: tuple[Cell, ...], form: Format, measure: Gain) -> None:
    import json

    from ictbench.results.transfer_matrix import legend, matrix

    if form is Format.JSON:
        print(json.dumps([{**cell.model_dump(mode="json"), "ranked": cell.ranked} for cell in cells], indent=1))
    elif form is Format.CSV:
        import pandas as pd

        rows = [{**cell.model_dump(), "ranked": cell.ranked} for cell in cells]
        print(pd.DataFrame(rows).to_csv(index=False, float_format="%.6g", lineterminator="\n"), end="")
    else:
        head, rows_of_text = matrix(cells, measure)
        marks = [f"{mark} {meaning}" for mark, meaning in legend(cells, measure).items()]
        what = f"{'Gain' if measure == 'gain' else 'Last gain'} on test tasks, by what the reflector was trained on"
        if form is Format.MD:
            import pandas as pd

            table = pd.DataFrame(rows_of_text, columns=head).to_markdown(index=False, disable_numparse=True)
            print(f"{what}\n\n{table}")
            print("".join(f"\n{mark}  " for mark in marks))
        else:
            _print_table(what, head, rows_of_text, marks)


def _print_table(title: str, head: list[str], rows: list[list[str]], marks: list[str]) -> None:
    from rich.console import Console
    from rich.text import Text

    from ictbench.cli.terminal_table import add_row, grid

    console = Console()
    table = grid(head, left=head[:3])
    for row in rows:
        add_row(table, row, "bold" if row[1:3] == ["mean", "held-out"] else None)
    console.print(Text(title), soft_wrap=True)
    console.print(table)
    for mark in marks:
        console.print(Text(mark), soft_wrap=True)

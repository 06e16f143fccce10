"""`ictbench campaign`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ictbench.cli.command_options import option, takes_run_options
from ictbench.cli.help_page import RUN, page
from ictbench.cli.program import continue_with
from ictbench.errors import ConfigError, RunError, RunInterruptedError
from ictbench.runs.option import OUTPUT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ictbench.campaigns.run_campaign import CellState

PAGE = page(
    RUN,
    "docs/campaigns.md",
    "ictbench campaign controls.yaml --dry-run",
    "ictbench campaign controls.yaml --max-cost 20 --out campaigns/controls",
    "ictbench campaign controls.yaml --cells rules--batch_size-3",
)

NAMED = 3
"""Cells that the last line names."""


@takes_run_options("campaign")
def campaign(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="YAML file of the campaign.")],
    out: Annotated[
        Path | None,
        option(
            "--out",
            "Folder of the campaign; a folder of the same campaign is continued.",
            rich_help_panel=OUTPUT,
            show_default="campaigns/NAME",
        ),
    ] = None,
    cells: Annotated[
        str | None,
        option(
            "--cells", "Names of the cells to play, separated by commas.", rich_help_panel=OUTPUT, show_default="all"
        ),
    ] = None,
    side_by_side: Annotated[
        int, option("--side-by-side", "Cells that run at the same time.", rich_help_panel=OUTPUT, min=1)
    ] = 4,
    as_json: Annotated[bool, option("--json", "Make the output JSON.", rich_help_panel=OUTPUT)] = False,
    quiet: Annotated[bool, option("--quiet", "No progress, no table.", rich_help_panel=OUTPUT)] = False,
    dry_run: Annotated[
        bool,
        option(
            "--dry-run",
            "Check all cells, print counts, costs and what is there already by cell, and stop.",
            rich_help_panel=OUTPUT,
        ),
    ] = False,
    ask: Annotated[
        bool,
        option("--ask", "With --dry-run: ask each model a few times, to measure its replies.", rich_help_panel=OUTPUT),
    ] = False,
    **options: Any,
) -> None:
    """Play a matrix of reflectors, actors, suites and sizes: one run per cell, under common limits.

    All cells are checked before anything is played. The same command continues a campaign that was stopped. Exit codes:
    0 if all cells are complete; 1 if one is not; 2 for a file or an option that does not fit.
    """
    from ictbench.campaigns import campaign as play
    from ictbench.campaigns import dry_run as plan
    from ictbench.cli.render_campaign import print_campaign, print_campaign_plan, watch_cells
    from ictbench.cli.terminal import print_json

    # The options in the file hold where neither a flag nor an environment variable is given.
    given = {name: value for name, value in options.items() if _is_given(context, name)}
    chosen = [name.strip() for name in (cells or "").split(",") if name.strip()]
    if dry_run:
        planned = plan(file, out=out, cells=chosen, ask=ask, **given)
        if as_json:
            print_json(planned.model_dump_json())
        elif not quiet:
            print_campaign_plan(planned)
        return
    if ask:
        raise ConfigError("--ask measures replies for the estimate of --dry-run: add --dry-run")
    try:
        with watch_cells(quiet) as on_start:
            finished = play(file, out=out, cells=chosen, side_by_side=side_by_side, on_start=on_start, **given)
    except RunInterruptedError as error:
        raise RunInterruptedError(f"{error}. {continue_with()}") from error
    print_campaign(finished, quiet=quiet, as_json=as_json)
    if left := [state for state in finished.states if state.status != "complete"]:
        raise RunError(_incomplete(left, len(finished.states)))


def _is_given(context: typer.Context, name: str) -> bool:
    source = context.get_parameter_source(name)
    return source is not None and source.name != "DEFAULT"


def _incomplete(left: Sequence[CellState], cells: int) -> str:
    reasons = dict.fromkeys(state.reason for state in left)
    named = ", ".join(state.name for state in left[:NAMED])
    more = f" and {len(left) - NAMED} more" if len(left) > NAMED else ""
    why = "; ".join([*reasons][:NAMED])
    return (
        f"{cells - len(left)} of {cells} cells are complete; {named}{more} {'is' if len(left) == 1 else 'are'} not "
        f"({why}). {continue_with()}"
    )

"""`ictbench models`."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ictbench.cli.help_page import MAINTAIN, Group, page
from ictbench.errors import UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ictbench.models.prices import PriceTable

app = typer.Typer(no_args_is_help=True)
PAGE = page(
    MAINTAIN,
    "docs/models.md",
    "ictbench models prices gpt-4.1",
    cls=Group,
    help="Show what ictbench knows about language models.",
)
COLUMNS = ("input", "output", "cached", "cache_written", "reasoning")


@app.command("prices", **page(None, "docs/models.md", "ictbench models prices gpt-4.1"))
def prices(
    name: Annotated[str, typer.Argument(help="Part of the names of the models to list.", show_default="all")] = "",
    refresh: Annotated[
        bool,
        typer.Option("--refresh", help="Replace the package's table by litellm's, if it is installed."),
    ] = False,
) -> None:
    """List prices in US dollars per million tokens, with their source and date."""
    from ictbench.cli.terminal_table import add_row, grid, print_line, print_table
    from ictbench.models.prices import PACKAGE_TABLE, price_table, refresh_table

    table = refresh_table() if refresh else price_table()
    if refresh:
        print_line(f"{len(table.models)} prices are written to {PACKAGE_TABLE}")
    matching = [model for model in table.models if name in model]
    if not matching:
        closest = difflib.get_close_matches(name, table.models, n=1)
        hint = f"did you mean {closest[0]!r}?" if closest else "`ictbench models prices` lists all"
        raise UnknownNameError(f"no model with a price has {name!r} in its name; {hint}")
    listed = grid(("model", *(column.replace("_", " ") for column in COLUMNS), "above"), left=("model",))
    for model in sorted(matching):
        entry = table.models[model]
        add_row(listed, (model, *_rates(entry), ""))
        for tier in entry.get("longer", ()):
            add_row(listed, ("", *_rates(tier), f"{tier['above']:,}"))
    print_table(listed)
    print_line(f"US dollars per million tokens, from {_source(table)}")


def _rates(entry: Mapping[str, Any]) -> list[str]:
    return [f"{entry[column]:g}" if column in entry else "" for column in COLUMNS]


def _source(table: PriceTable) -> str:
    return f"the package's table of {table.date} ({table.source})" if table.date else f"the table of {table.source}"

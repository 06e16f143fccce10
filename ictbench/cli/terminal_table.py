"""Lines and tables on the terminal. Texts come from users, games and plug-ins, so markup is off."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from ictbench.cli.console import Console
from ictbench.visible_text import one_line

if TYPE_CHECKING:
    from collections.abc import Container, Iterable

    from rich.console import JustifyMethod


def print_line(line: str, style: str = "") -> None:
    """Print a text as one line, however long it is."""
    Console().print(Text(one_line(line), style), soft_wrap=True)


def grid(columns: Iterable[str], *, left: Container[str]) -> Table:
    """Return an empty table; the columns named in `left` hold texts, the others numbers.

    On a narrow terminal, texts and headings are broken into lines, and numbers stay whole.
    """
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    for name in columns:
        no_wrap = name == "family" or "[95 %]" in name or not (name in left or " " in name)
        justify: JustifyMethod = "left" if name in left else "right"
        table.add_column(Text(one_line(name)), justify=justify, overflow="fold", no_wrap=no_wrap)
    return table


def add_row(table: Table, cells: Iterable[str], style: str | None = None) -> None:
    """Add a row of texts."""
    table.add_row(*(Text(one_line(cell)) for cell in cells), style=style)

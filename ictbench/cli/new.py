"""`ictbench new`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from ictbench.cli.help_page import EXTEND, page

PAGE = page(
    EXTEND,
    "docs/plugins.md",
    "ictbench new env my_game",
    "ictbench new reflector my_reflector --out work/my_reflector",
)


def new(
    kind: Annotated[Literal["env", "reflector", "actor"], typer.Argument(help="Kind of plug-in.")],
    name: Annotated[str, typer.Argument(help="Name of the plug-in and of its module.")],
    out: Annotated[Path | None, typer.Option("--out", help="Folder to write.", show_default="the name")] = None,
) -> None:
    """Write the package of a new plug-in, with tests; it works at once."""
    from ictbench.scaffold import create

    for path in create(kind, name, out):
        print(path)
    print(f"Next: cd {out or name}, pip install -e '.[test]', pytest")

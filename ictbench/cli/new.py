"""`ictbench new`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Kind(StrEnum):
    """What can be added to ictbench."""

    ENV = "env"
    REFLECTOR = "reflector"
    ACTOR = "actor"


def new(
    kind: Annotated[Kind, typer.Argument(help="What it is to be.")],
    name: Annotated[str, typer.Argument(help="Of its module, and what it is asked for by.")],
    out: Annotated[Path | None, typer.Option("--out", help="Folder to write.", show_default="the name")] = None,
) -> None:
    """Write the package of a plug-in of your own, with its tests, that works at once."""
    from ictbench.scaffold import create

    for path in create(kind.value, name, out):
        print(path)
    print(f"Next: cd {out or name}, pip install -e '.[test]', pytest")

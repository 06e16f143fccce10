"""`ictbench new`."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated, Literal

import typer

from ictbench.cli.help_page import EXTEND, page
from ictbench.cli.program import program

PAGE = page(
    EXTEND,
    "docs/plugins.md",
    "ictbench new env my_game",
    "ictbench new reflector my_reflector --out work/my_reflector",
    "ictbench new learner my_notes",
)


def new(
    kind: Annotated[
        Literal["env", "reflector", "learner", "actor"],
        typer.Argument(help="Kind of plug-in. A learner is a reflector with a memory."),
    ],
    name: Annotated[str, typer.Argument(help="Name of the plug-in and of its module.")],
    out: Annotated[Path | None, typer.Option("--out", help="Folder to write.", show_default="the name")] = None,
) -> None:
    """Write the package of a new plug-in, with tests; it works at once."""
    from ictbench.scaffold import create

    for path in create(kind, name, out):
        print(path)
    print(f"Next: cd {shlex.quote(str(out or name))} && pip install -e '.[test]' && pytest")
    print(f"Then: {program()} {_command(kind, name)}")


def _command(kind: Literal["env", "reflector", "learner", "actor"], name: str) -> str:
    """Return the command that plays with the new plug-in."""
    if kind == "env":
        return f"run --env {name} --actor solver --reflector none"
    if kind == "actor":
        return f"run --env minihack --actor {name} --reflector none"
    return f"run --env minihack --reflector {name} --actor rules"

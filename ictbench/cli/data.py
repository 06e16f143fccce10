"""`ictbench data`."""

from __future__ import annotations

from typing import Annotated

import typer

app = typer.Typer(help="Fetch and check data that suites need and packages do not ship.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="Data set: alfworld.")]


@app.command()
def fetch(
    name: Name,
    force: Annotated[bool, typer.Option("--force", help="Fetch even if all is there.")] = False,
) -> None:
    """Fetch a data set with its package's own downloader, and check what arrived."""
    from ictbench.runner.data import check_data, fetch_data

    if not force and (held := check_data(name)).complete:
        print(f"{name}: {held}; nothing to fetch")
        return
    print(f"{name}: {fetch_data(name, force=force)}")


@app.command()
def check(name: Name) -> None:
    """Read every file of a data set, and say what is there."""
    from ictbench.errors import RunError
    from ictbench.runner.data import check_data

    held = check_data(name)
    if not held.complete:
        raise RunError(f"{name}: {held}; {held.trouble}")
    print(f"{name}: {held}")

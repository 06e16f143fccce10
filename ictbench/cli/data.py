"""`ictbench data`."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from ictbench.cli.help_page import MAINTAIN, Group, page

app = typer.Typer(no_args_is_help=True)
PAGE = page(
    MAINTAIN,
    "docs/alfworld.md",
    "ictbench data fetch alfworld",
    "ictbench data check alfworld",
    cls=Group,
    help="Fetch and check data that suites need and packages do not contain.",
)

Name = Annotated[str, typer.Argument(help="Data set: alfworld.")]


@app.command(**page(None, "docs/alfworld.md", "ictbench data fetch alfworld"))
def fetch(
    name: Name,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Target folder, instead of ALFWORLD_DATA or the package's."),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Download everything again and overwrite what exists.")
    ] = False,
) -> None:
    """Fetch a data set with the downloader of its package, and check the files."""
    from ictbench.envs.alfworld.data import check_data, fetch_data

    if out is not None:
        os.environ["ALFWORLD_DATA"] = str(_folder(out))
    held = check_data(name)
    if held.complete and not force:
        print(f"{name}: {held}; nothing to fetch")
    else:
        print(f"{name}: {held}; fetching with the package's own downloader", file=sys.stderr)
        print(f"{name}: {fetch_data(name, force=force)}")
    if out is not None:
        print(f"to use it: export ALFWORLD_DATA={shlex.quote(os.environ['ALFWORLD_DATA'])}")


@app.command(**page(None, "docs/alfworld.md", "ictbench data check alfworld"))
def check(name: Name) -> None:
    """Read every file of a data set, and print the counts."""
    from ictbench.envs.alfworld.data import check_data
    from ictbench.errors import RunError

    held = check_data(name)
    if not held.complete:
        raise RunError(f"{name}: {held}; the first problem: {held.problem}")
    print(f"{name}: {held}")


def _folder(path: Path) -> Path:
    from ictbench.errors import ConfigError

    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"--out {path} cannot be created ({error.strerror}); choose another folder") from error
    return path.resolve()

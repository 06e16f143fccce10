"""`ictbench show`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from ictbench.cli.help_page import LOOK, page
from ictbench.cli.option_values import complete_runs
from ictbench.errors import UsageError

PAGE = page(
    LOOK,
    "docs/runs.md",
    "ictbench show runs/mini",
    "ictbench show runs/mini --episodes eat-",
    "ictbench show runs/mini --episode eat-0-experience",
)


def show(
    run: Annotated[Path, typer.Argument(help="Folder of a run.", autocompletion=complete_runs)],
    episode: Annotated[
        str | None, typer.Option("--episode", help="Page through the episode whose key starts with this text.")
    ] = None,
    episodes: Annotated[
        str | None, typer.Option("--episodes", help="List the keys that start with this text, e.g. read-; '' for all.")
    ] = None,
) -> None:
    """Print the tables of a run, list its episodes, or page through one of them."""
    from ictbench import load_run
    from ictbench.cli.render_result import episode_pages, print_result

    loaded = load_run(run)
    if episodes is not None:
        keys = loaded.episode_keys(episodes)
        if not keys:
            raise UsageError(f"{run} has no episode whose key starts with {episodes!r}; --episodes '' lists all keys")
        for key in keys:
            print(key)
    elif episode is not None:
        pages = "\n".join(episode_pages(loaded.episode(episode)))
        if sys.stdout.isatty():
            import pydoc

            pydoc.pager(pages)
        else:
            print(pages)
    else:
        print_result(loaded)

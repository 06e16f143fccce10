"""`ictbench leaderboard build` and `serve`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ictbench.cli.help_page import page

if TYPE_CHECKING:
    from ictbench.board.bad_entry import BadEntry
    from ictbench.board.entries import Board

Leaderboards = Annotated[Path, typer.Argument(metavar="LEADERBOARDS", help="Folder of the boards, one per suite.")]
DEFAULT_FOLDER = Path("leaderboards")
Cache = Annotated[
    Path | None,
    typer.Option(
        "--cache",
        metavar="FOLDER",
        help="Folder of what was found before, outside of the boards' checkout.",
        show_default="in the user's cache folder",
    ),
]


BUILD_PAGE = page(
    None,
    "docs/board.md",
    "ictbench leaderboard build leaderboards --out site",
)

SERVE_PAGE = page(
    None,
    "docs/board.md",
    "ictbench leaderboard serve leaderboards --port 8000",
)


def build(
    leaderboards: Leaderboards = DEFAULT_FOLDER,
    out: Annotated[Path, typer.Option("--out", help="Folder of the site; an existing site is replaced.")] = Path(
        "site"
    ),
    tables: Annotated[
        bool, typer.Option("--tables/--no-tables", help="Also write LEADERBOARDS/SUITE/tables: CSV and Markdown.")
    ] = True,
    cache: Cache = None,
) -> None:
    """Build tables and a static site: rankings, curves, costs, one page per entry. It works offline."""
    from ictbench.board.finding_cache import open_cache
    from ictbench.cli.step_progress import show_steps
    from ictbench.web.board import build_site

    findings = open_cache(cache, leaderboards)
    bad: list[tuple[Board, BadEntry]] = []
    with show_steps() as on_progress:
        pages = build_site(
            leaderboards,
            out,
            tables=tables,
            on_bad=lambda board, one: bad.append((board, one)),
            findings=findings,
            on_progress=on_progress,
        )
    for board, one in bad:
        _print_bad(board, one)
    print(f"{len(pages)} pages: {pages[0]}")


def _print_bad(board: Board, bad: BadEntry) -> None:
    print(f"ictbench: {board.suite}: {bad.slug} cannot be shown: {bad.reason}", file=sys.stderr)


def serve(
    leaderboards: Leaderboards = DEFAULT_FOLDER,
    port: Annotated[int, typer.Option("--port", help="Port on this machine.", min=0, max=65535)] = 8000,
    cache: Cache = None,
) -> None:
    """Build the site into a temporary folder and serve it on this machine only, until Ctrl-C."""
    from ictbench.board.finding_cache import open_cache
    from ictbench.web.board.serve import address_of, serving

    findings = open_cache(cache, leaderboards)
    with serving(leaderboards, port, on_bad=_print_bad, findings=findings) as server:
        print(f"{address_of(server)} (Ctrl-C stops)", flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print()

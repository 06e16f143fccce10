"""`ictbench leaderboard show`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.table import Table

    from ictbench.board.entries import Board
    from ictbench.board.ranking import Track

WIDE = 120
"""Columns of a terminal in which whole rows fit."""

TEXTS = ("entry", "reflector", "actor", "profile", "badges")
INTERVAL = " [95 %]"
SPARED, BARE = ("headroom",), (f"gain{INTERVAL}", f"over blind{INTERVAL}")
"""What a narrower one shows not at all, or without its interval."""


def show(
    suite: Annotated[str | None, typer.Argument(help="One suite's board only.", show_default="all")] = None,
    leaderboards: Annotated[
        Path, typer.Option("--leaderboards", metavar="LEADERBOARDS", help="Folder of the boards, one a suite.")
    ] = Path("leaderboards"),
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a board.")] = False,
) -> None:
    """Print rankings: a table for each profile and actor, then what is not ranked and why."""
    from ictbench.board.entries import find_boards, read_board
    from ictbench.board.ranking import rank
    from ictbench.errors import UnknownNameError
    from ictbench.plugins import suggest

    folders = find_boards(leaderboards)
    if suite is not None:
        names = [folder.suite for folder in folders]
        if suite not in names:
            raise UnknownNameError(f"{leaderboards} has no board of {suite!r}; {suggest(suite, names)}")
        folders = [folder for folder in folders if folder.suite == suite]
    for folder in folders:
        board = read_board(folder)
        (_print_json if as_json else _print)(board, rank(board.entries))


def _print_json(board: Board, tracks: tuple[Track, ...]) -> None:
    from ictbench.web.board.board_page import board_document

    print(json.dumps(board_document(board, tracks), ensure_ascii=True, indent=1))


def _print(board: Board, tracks: tuple[Track, ...]) -> None:
    from rich.console import Console
    from rich.text import Text

    from ictbench.board.board_tables import RANKED, UNRANKED, ranked_cells, unranked, unranked_cells
    from ictbench.results.formatting import one_line

    console = Console()
    console.print(Text(board.suite, "bold"))
    for track in tracks:
        console.print()
        console.print(Text(one_line(track.name)), soft_wrap=True)
        console.print(_fitting(console.width, RANKED, map(ranked_cells, track.ranked)))
    if not tracks:
        console.print("Nothing is ranked yet.")
    if entries := unranked(board):
        console.print()
        console.print("Not ranked")
        console.print(_fitting(console.width, UNRANKED[:-1], (unranked_cells(entry)[:-1] for entry in entries)))
        console.print()
        for entry in entries:
            console.print(Text(one_line(f"{entry.submission.name}: {entry.why_unranked[1]}")), soft_wrap=True)
    console.print()


def _fitting(width: int, head: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    """A table for a terminal so wide; a narrow one has no headroom, nor intervals of gain and over blind."""
    from ictbench.cli.terminal_table import add_row, grid

    wide = width >= WIDE
    kept = [at for at, name in enumerate(head) if wide or name not in SPARED]
    bare = [not wide and name in BARE for name in head]
    table = grid([head[at].removesuffix(INTERVAL) if bare[at] else head[at] for at in kept], left=TEXTS)
    for row in rows:
        add_row(table, [row[at].partition(" [")[0] if bare[at] else row[at] for at in kept])
    return table

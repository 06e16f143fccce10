"""`ictbench leaderboard show`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from ictbench.leaderboard.entries import Board
    from ictbench.leaderboard.ranking import Track


def show(
    suite: Annotated[str | None, typer.Argument(help="One suite's board only.", show_default="all")] = None,
    leaderboards: Annotated[
        Path, typer.Option("--leaderboards", metavar="LEADERBOARDS", help="Folder of the boards, one a suite.")
    ] = Path("leaderboards"),
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a board.")] = False,
) -> None:
    """Print rankings: a table for each profile and actor, then what is not ranked and why."""
    from ictbench.errors import UnknownNameError
    from ictbench.leaderboard.entries import find_boards, read_board
    from ictbench.leaderboard.ranking import rank
    from ictbench.resolve import suggest

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
    from ictbench.leaderboard.site.board_page import board_document

    print(json.dumps(board_document(board, tracks), ensure_ascii=True, indent=1))


def _print(board: Board, tracks: tuple[Track, ...]) -> None:
    from rich.console import Console
    from rich.text import Text

    from ictbench.cli.grid import add_row, grid
    from ictbench.leaderboard.tables import RANKED, UNRANKED, ranked_cells, unranked, unranked_cells

    console = Console()
    console.print(Text(board.suite, "bold"))
    for track in tracks:
        table = grid(RANKED, left=("rank", "entry", "reflector", "badges"))
        for one in track.ranked:
            add_row(table, ranked_cells(one))
        console.print()
        console.print(Text(track.name), soft_wrap=True)
        console.print(table)
    if not tracks:
        console.print("Nothing is ranked yet.")
    if entries := unranked(board):
        table = grid(UNRANKED, left=("entry", "reflector", "actor", "profile", "why"))
        for entry in entries:
            add_row(table, unranked_cells(entry))
        console.print()
        console.print("Not ranked")
        console.print(table)
    console.print()

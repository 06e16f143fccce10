"""`ictbench leaderboard show`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ictbench.cli.help_page import page

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ictbench.board.entries import Board
    from ictbench.board.ranking import Track
    from ictbench.cli.terminal_table import Grid

WIDE = 120
"""Width of a terminal, in characters, from which on full rows fit."""

TEXT_COLUMNS = ("entry", "reflector", "trained on", "actor", "profile", "division", "blind arm", "badges")
INTERVAL = " [95 %]"
DROPPED = ("headroom", "blind arm")
"""Columns that a narrower terminal does not show."""

WITHOUT_INTERVAL = (f"gain{INTERVAL}", f"over blind{INTERVAL}")
"""Columns that a narrower terminal shows without their intervals."""


PAGE = page(
    None,
    "docs/leaderboard.md",
    "ictbench leaderboard show minihack-v1",
    "ictbench leaderboard show --json",
)


def show(
    suite: Annotated[
        str | None,
        typer.Argument(
            metavar="SUITE|LEADERBOARDS",
            help="Show only the board of this suite; or the folder of the boards.",
            show_default="all",
        ),
    ] = None,
    leaderboards: Annotated[
        Path, typer.Option("--leaderboards", metavar="LEADERBOARDS", help="Folder of the boards, one per suite.")
    ] = Path("leaderboards"),
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object per board.")] = False,
) -> None:
    """Print rankings: a table for each profile, actor and division, then the unranked entries with the reasons."""
    from ictbench.board.entries import find_boards, read_board
    from ictbench.board.fault_isolation import rank_board
    from ictbench.board.finding_cache import open_cache
    from ictbench.errors import SubmissionError, UnknownNameError
    from ictbench.plugins import suggest

    is_folder = suite is not None and not (leaderboards / suite).is_dir() and Path(suite).is_dir()
    if suite is not None and is_folder:
        path = Path(suite).resolve()
        is_board = any((path / section).is_dir() for section in ("submissions", "unranked"))
        leaderboards, suite = (path.parent, path.name) if is_board else (Path(suite), None)
    try:
        folders, findings = find_boards(leaderboards), open_cache(None, leaderboards)
    except SubmissionError as error:
        if suite is None:
            raise
        raise UnknownNameError(f"{suite!r} is neither a folder of boards nor the suite of one: {error}") from error
    if suite is not None:
        names = [folder.suite for folder in folders]
        if suite not in names:
            raise UnknownNameError(f"{leaderboards} has no board of {suite!r}; {suggest(suite, names)}")
        folders = [folder for folder in folders if folder.suite == suite]
    boards = []
    for folder in folders:
        board, tracks = rank_board(read_board(folder, findings))
        (_print_json if as_json else _print)(board, tracks)
        boards.append(board)
    if not as_json:
        _print_suite_gains(boards)


def _print_json(board: Board, tracks: tuple[Track, ...]) -> None:
    from ictbench.web.board.board_page import board_document

    print(json.dumps(board_document(board, tracks), ensure_ascii=True, indent=1))


def _print(board: Board, tracks: tuple[Track, ...]) -> None:
    from ictbench.board.board_tables import (
        COMBINED,
        COMBINED_MEANING,
        RANKED,
        UNRANKED,
        combined,
        ranked_cells,
        ranked_remarks,
        secondary_tables,
        unranked,
        unranked_cells,
    )
    from ictbench.cli.console import Console
    from ictbench.cli.terminal_table import print_line
    from ictbench.results.formatting import INTERVAL_MEANING

    console = Console()
    print_line(board.suite, "bold")
    for track in tracks:
        console.print()
        print_line(track.name)
        console.print(_table(console.width, RANKED, map(ranked_cells, track.ranked)))
        for head, secondary in secondary_tables(track):
            console.print(_table(console.width, head, secondary))
        for name, text in ranked_remarks(track):
            print_line(f"{name}: {text}")
    for name, rows in combined(tracks):
        console.print()
        print_line(f"{name}: all divisions")
        console.print(_table(console.width, COMBINED, rows))
        console.print(COMBINED_MEANING)
    if tracks:
        console.print(INTERVAL_MEANING)
    else:
        console.print("Nothing is ranked yet.")
    if entries := unranked(board):
        console.print()
        console.print("Not ranked")
        console.print(_table(console.width, UNRANKED[:-1], (unranked_cells(entry)[:-1] for entry in entries)))
        console.print()
        for entry in entries:
            print_line(f"{entry.submission.name}: {entry.why_unranked[1]}")
    if board.bad:
        console.print()
        console.print("Cannot be shown")
        for bad in board.bad:
            print_line(f"{bad.slug}: {bad.reason}")
    console.print()


def _print_suite_gains(boards: Sequence[Board]) -> None:
    """Print the gains of learners that are on several of the boards."""
    from ictbench.board.suite_gains import COLUMNS, MEANING, suite_gains
    from ictbench.cli.console import Console
    from ictbench.cli.terminal_table import print_line

    suites, rows = suite_gains(boards)
    if rows:
        console = Console()
        print_line("Gains by suite", "bold")
        console.print(_table(console.width, [*COLUMNS, *suites], (row.cells(suites) for row in rows)))
        console.print(MEANING)


def _table(width: int, head: Sequence[str], rows: Iterable[Sequence[str]]) -> Grid:
    """Return a table that fits a terminal of this width."""
    from ictbench.cli.terminal_table import add_row, grid

    wide = width >= WIDE
    kept = [index for index, name in enumerate(head) if wide or name not in DROPPED]
    short = [not wide and name in WITHOUT_INTERVAL for name in head]
    table = grid([head[i].removesuffix(INTERVAL) if short[i] else head[i] for i in kept], left=TEXT_COLUMNS)
    for row in rows:
        add_row(table, [row[i].partition(" [")[0] if short[i] else row[i] for i in kept])
    return table

"""Processing of a whole board that one entry cannot stop: entries whose processing raises are left out, and named."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from ictbench.board.bad_entry import BadEntry
from ictbench.board.board_tables import ranked_cells, unranked, unranked_cells
from ictbench.board.ranking import rank

if TYPE_CHECKING:
    from collections.abc import Callable

    from ictbench.board.entries import Board, Entry
    from ictbench.board.ranking import Track

T = TypeVar("T")


def process_board(board: Board, process: Callable[[Board], T]) -> tuple[Board, T]:
    """Return what `process` makes of a board, after leaving out the entries for which it raises.

    An error of the system, such as a full disk, is not caused by an entry: it is raised.

    Raises:
        OSError: `process` raised it.
    """
    try:
        return board, process(board)
    except OSError:
        raise
    except Exception:
        entries, bad = _faultless(board, process)
    board = replace(board, entries=entries, bad=(*board.bad, *bad))
    return board, process(board)


def rank_board(board: Board) -> tuple[Board, tuple[Track, ...]]:
    """Return a board and its ranked tracks, without the entries that cannot be ranked or shown in a table."""

    def process(board: Board) -> tuple[Track, ...]:
        tracks = rank(board.entries)
        for track in tracks:
            for one in track.ranked:
                ranked_cells(one)
        for entry in unranked(board):
            unranked_cells(entry)
        return tracks

    return process_board(board, process)


def _faultless(board: Board, process: Callable[[Board], T]) -> tuple[tuple[Entry, ...], list[BadEntry]]:
    """Return the entries that can be processed together, and the others.

    Entries are added in blocks, and a block that fails is halved, so that a bad entry costs a few calls of `process`.
    """
    process(replace(board, entries=()))  # An error without any entry is the fault of none.
    bad: list[BadEntry] = []

    def add(kept: list[Entry], block: list[Entry]) -> list[Entry]:
        together = sorted([*kept, *block], key=lambda entry: entry.slug)
        try:
            process(replace(board, entries=tuple(together)))
        except OSError:
            raise
        except Exception as error:
            if len(block) == 1:
                bad.append(BadEntry.of(block[0].slug, error))
                return kept
            middle = len(block) // 2
            return add(add(kept, block[:middle]), block[middle:])
        return together

    # An entry that the board has replayed does not give way to one that it has not.
    entries = sorted(board.entries, key=lambda entry: "replayed" not in entry.badges.held)
    kept = add([], entries) if entries else []
    return tuple(kept), bad

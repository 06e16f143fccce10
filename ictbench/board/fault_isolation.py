"""Processing of a whole board that one entry cannot stop: entries whose processing raises are left out, and named."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from ictbench.board.board_tables import ranked_cells, unranked, unranked_cells
from ictbench.board.entries import BadEntry
from ictbench.board.ranking import rank

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ictbench.board.entries import Board, Entry
    from ictbench.board.ranking import Track

T = TypeVar("T")


def process_board(board: Board, process: Callable[[Board], T]) -> tuple[Board, T]:
    """Return what `process` makes of a board, after leaving out the entries for which it raises.

    Each entry is first tried alone, then together with those that passed. An error of the system, such as a full disk,
    is not caused by an entry: it is raised.

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
    """Return the entries that can be processed, alone and together, and the others."""
    process(replace(board, entries=()))  # An error without any entry is the fault of none.
    bad: list[BadEntry] = []

    def passes(entries: Sequence[Entry]) -> bool:
        """Try entries; if it fails, the last of them is bad."""
        try:
            process(replace(board, entries=tuple(sorted(entries, key=lambda entry: entry.slug))))
        except OSError:
            raise
        except Exception as error:
            bad.append(BadEntry.of(entries[-1].slug, error))
            return False
        return True

    alone = [entry for entry in board.entries if passes([entry])]
    try:
        process(replace(board, entries=tuple(alone)))
    except OSError:
        raise
    except Exception:
        pass
    else:
        return tuple(alone), bad
    # An entry that the board has replayed does not give way to one that it has not.
    alone.sort(key=lambda entry: "replayed" not in entry.badges.held)
    together: list[Entry] = []
    for entry in alone:
        if passes([*together, entry]):
            together.append(entry)
    return tuple(sorted(together, key=lambda entry: entry.slug)), bad

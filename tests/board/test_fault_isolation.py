"""Entries that make the processing of a board raise are left out, alone or together with others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from boards import make_result, submit

from ictbench.board.entries import Board, read_board
from ictbench.board.fault_isolation import process_board, rank_board
from ictbench.submissions.layout import BoardFolder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

BESTS = {"a": ("1111", "1110"), "b": ("1111", "1101"), "c": ("1111", "1011"), "d": ("1111", "0111")}


@pytest.fixture
def board(tmp_path: Path) -> Board:
    folder = BoardFolder(tmp_path / "rooms-v1")
    for slug, bests in BESTS.items():
        badges = () if slug == "a" else ("replayed",)
        submit(folder, slug, make_result({"read": [("0000", best) for best in (*bests, "1000")]}, slug), badges=badges)  # type: ignore[arg-type]
    return read_board(folder)


def slugs(board: Board) -> str:
    return "".join(entry.slug for entry in board.entries)


def failing(is_wrong: Callable[[str], bool]) -> Callable[[Board], str]:
    """Return a process that raises for some sets of entries."""

    def process(board: Board) -> str:
        if is_wrong(slugs(board)):
            raise OverflowError(f"cannot process {slugs(board)}")
        return slugs(board)

    return process


@pytest.mark.parametrize(
    ("is_wrong", "kept", "bad"),
    [
        (lambda entries: False, "abcd", ""),
        (lambda entries: "b" in entries, "acd", "b"),
        (lambda entries: "b" in entries or "d" in entries, "ac", "bd"),
        # Of two entries that cannot be shown together, the one that the board has replayed stays.
        (lambda entries: "a" in entries and "c" in entries, "bcd", "a"),
        (lambda entries: len(entries) > 2, "bc", "da"),
    ],
)
def test_entries_that_fail_are_left_out(board: Board, is_wrong: Callable[[str], bool], kept: str, bad: str) -> None:
    board, result = process_board(board, failing(is_wrong))
    assert (slugs(board), result) == (kept, kept)
    assert "".join(one.slug for one in board.bad) == bad
    assert all(one.reason.startswith("OverflowError: cannot process") for one in board.bad)


def test_error_without_any_entry_is_raised(board: Board) -> None:
    with pytest.raises(OverflowError):
        process_board(board, failing(lambda entries: True))


def test_error_of_the_system_is_raised(board: Board) -> None:
    def process(board: Board) -> None:
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        process_board(board, process)


def test_sound_board_is_ranked_unchanged(board: Board) -> None:
    same, (track,) = rank_board(board)
    assert same == board
    assert [ranked.entry.slug for ranked in track.ranked] == ["b", "c", "d"]

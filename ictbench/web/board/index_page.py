"""The index: a card a suite."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ictbench._version import __version__
from ictbench.suites import list_suites, load_suite
from ictbench.web.board.entry_summary import entry_summary, track_summary

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ictbench.board.entries import Board
    from ictbench.board.ranking import Track

LEADERS = 3
"""Entries of each track on the index, and those that tie with the first."""


def index_document(ranked: Sequence[tuple[Board, Sequence[Track]]]) -> dict[str, Any]:
    """The document of the index."""
    return {"ictbench": __version__, "suites": [_suite(board, tracks) for board, tracks in ranked]}


def title_of(suite: str) -> str:
    """A suite in words, where it ships with ictbench."""
    return load_suite(suite).title if suite in list_suites() else ""


def _suite(board: Board, tracks: Sequence[Track]) -> dict[str, Any]:
    ranked = sum(len(track.ranked) for track in tracks)
    return {
        "name": board.suite,
        "title": title_of(board.suite),
        "ranked": ranked,
        "unranked": len(board.entries) - ranked,
        "tracks": [
            {**track_summary(track), "leaders": [entry_summary(one.entry, one) for one in track.ranked[:LEADERS]]}
            for track in tracks
        ],
    }

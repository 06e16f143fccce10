"""The index page: one card per suite, and the gains of learners that are on several."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ictbench._version import __version__
from ictbench.board.suite_gains import COLUMNS, MEANING, suite_gains
from ictbench.suites import load_suite, shipped_suites
from ictbench.web.board.entry_summary import entry_summary, interval_json, track_summary

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ictbench.board.entries import Board, Entry
    from ictbench.board.ranking import Track

LEADERS = 3
"""Entries shown of each track."""

MAX_TRACKS = 20
"""Tracks shown of each suite: those of language models first."""


def index_document(ranked: Sequence[tuple[Board, Sequence[Track]]]) -> dict[str, Any]:
    """Return the document of the index page."""
    return {
        "ictbench": __version__,
        "suites": [_suite(board, tracks) for board, tracks in ranked],
        "gains": _gains([board for board, _ in ranked]),
    }


def suite_title(suite: str) -> str:
    """Return the title of a suite that ships with ictbench, else an empty string."""
    return load_suite(suite).title if suite in shipped_suites() else ""


def _gains(boards: Sequence[Board]) -> dict[str, Any]:
    """Return the table of learners by suite: for each cell, the entries with their gains."""
    suites, rows = suite_gains(boards)
    return {
        "meaning": MEANING,
        "columns": COLUMNS,
        "suites": suites,
        "rows": [
            {"labels": row.labels, "cells": [list(map(_gain, row.entries.get(suite, ()))) for suite in suites]}
            for row in rows
        ],
    }


def _gain(entry: Entry) -> dict[str, Any]:
    assert entry.measures is not None, "a ranked entry has held-out families"
    return {"slug": entry.slug, "name": entry.submission.name, "gain": interval_json(entry.measures.gain)}


def _suite(board: Board, tracks: Sequence[Track]) -> dict[str, Any]:
    ranked = sum(len(track.ranked) for track in tracks)
    return {
        "name": board.suite,
        "title": suite_title(board.suite),
        "ranked": ranked,
        "unranked": len(board.entries) - ranked,
        "tracks": [_leaders(track) for track in tracks[:MAX_TRACKS]],
        "more_tracks": max(0, len(tracks) - MAX_TRACKS),
    }


def _leaders(track: Track) -> dict[str, Any]:
    """Return a track with its first entries, without their families."""
    leaders = [entry_summary(leader.entry, leader) for leader in track.ranked[:LEADERS]]
    for leader in leaders:
        del leader["families"]
    return {**track_summary(track), "entries": len(track.ranked), "leaders": leaders}

"""Data of a suite's page: a small document, and compressed chunks for what a part of the page shows.

`board` holds the rows of the tables, the transfers of prompts and the log; `families-<track>` and
`curves-<track>-<number>` hold the families and the learning curves of a track. The page decompresses a chunk when it
shows it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ictbench.web.board.board_page import board_document, track_curves

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ictbench.board.entries import Board
    from ictbench.board.ranking import Track
    from ictbench.web.chunks import Chunks

    Json = dict[str, Any]

CURVES_SIZE = 50
"""Entries of one chunk of curves, in the order of their track; `learning-curves.js` has the same number."""


def add_board_chunks(board: Board, tracks: Sequence[Track], chunks: Chunks) -> Json:
    """Add the chunks of a suite's page, and return the document that the page reads at once."""
    document = board_document(board, tracks)
    families = {entry["slug"]: entry.pop("families") for entry in document["entries"]}
    chunks.add("board", {name: document.pop(name) for name in ("entries", "transfers", "log")})
    for track in tracks:
        slugs = [ranked.entry.slug for ranked in track.ranked]
        chunks.add(f"families-{track.key}", {slug: families[slug] for slug in slugs})
        curves = track_curves(track)
        for number, first in enumerate(range(0, len(slugs), CURVES_SIZE)):
            some = slugs[first : first + CURVES_SIZE]
            chunks.add(f"curves-{track.key}-{number}", {slug: curves[slug] for slug in some})
    return document

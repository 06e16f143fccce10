"""Build of the site: an index of suites, a page per suite, a page per entry, and tables."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from ictbench.board.board_tables import write_tables
from ictbench.board.entries import find_boards, read_board
from ictbench.board.ranking import rank
from ictbench.errors import SubmissionError
from ictbench.submissions.read_submission import read_trajectories
from ictbench.web.board.board_page import board_document, track_curves
from ictbench.web.board.entry_page import entry_document, run_document
from ictbench.web.board.index_page import index_document
from ictbench.web.chunks import open_chunks
from ictbench.web.episode_chunks import pack_episodes
from ictbench.web.html_shell import STYLES, HtmlShell

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ictbench.board.entries import Board, Entry
    from ictbench.board.ranking import Track

GENERATOR = "ictbench leaderboard"
TABLES = "tables"
INDEX, BOARD, ENTRY = (
    HtmlShell(GENERATOR, bundle, (*STYLES, "board/assets/site.css")) for bundle in ("index", "board", "entry")
)


def build_site(leaderboards: Path, out: Path, *, tables: bool = True) -> list[Path]:
    """Write the site of all boards in a folder.

    Args:
        leaderboards: Folder with one board per suite.
        out: Folder of the site; a site built earlier is replaced.
        tables: Also write the tables of each board into its folder.

    Returns:
        The pages, the index first.

    Raises:
        SubmissionError: A board cannot be read, or `out` is not a site or cannot be written.
    """
    boards = [read_board(folder) for folder in find_boards(leaderboards)]
    pages = write_site(boards, out)
    for board in boards if tables else ():
        shutil.copytree(out / board.suite / TABLES, board.folder.tables, dirs_exist_ok=True)
    return pages


def write_site(boards: Sequence[Board], out: Path) -> list[Path]:
    """Write the site of some boards and return its pages. An existing site is replaced once the new one is complete.

    Raises:
        SubmissionError: `out` is not a site or cannot be written.
    """
    ranked = [(board, rank(board.entries)) for board in boards]
    site = out.resolve()
    part = site.with_name(f"{site.name}.part")
    try:
        if out.exists() and not _is_site(out):
            raise SubmissionError(f"{out} exists and is not a site built by ictbench; choose another --out")
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        pages = [_write_index(part, ranked)]
        for board, tracks in ranked:
            pages += _write_board(part / board.suite, board, tracks)
        shutil.rmtree(site, ignore_errors=True)
        part.rename(site)
    except OSError as error:
        raise SubmissionError(f"{error.filename or out} cannot be written ({error.strerror})") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return [out / page.relative_to(part) for page in pages]


def _write_index(folder: Path, ranked: Sequence[tuple[Board, Sequence[Track]]]) -> Path:
    page = folder / "index.html"
    INDEX.write(page, GENERATOR, index_document(ranked))
    return page


def _write_board(folder: Path, board: Board, tracks: Sequence[Track]) -> list[Path]:
    write_tables(board, tracks, folder / TABLES)
    (folder / "entries").mkdir()
    page = folder / "index.html"
    with open_chunks() as chunks:
        for track in tracks:
            chunks.add(f"curves-{track.key}", track_curves(track))
        BOARD.write(page, f"{board.suite} - {GENERATOR}", board_document(board, tracks), chunks)
    return [page, *(_write_entry(folder / "entries", board, tracks, entry) for entry in board.entries)]


def _write_entry(folder: Path, board: Board, tracks: Sequence[Track], entry: Entry) -> Path:
    page = folder / f"{entry.slug}.html"
    with open_chunks() as chunks:
        index = pack_episodes(read_trajectories(entry.folder), chunks, 0)
        chunks.add("report", run_document(entry, index))
        title = f"{entry.submission.name}, {board.suite} - {GENERATOR}"
        ENTRY.write(page, title, entry_document(board, tracks, entry), chunks)
    return page


def _is_site(folder: Path) -> bool:
    """Return whether a folder is empty or holds a site that `write_site` wrote."""
    index = folder / "index.html"
    return INDEX.is_page(index) if index.is_file() else folder.is_dir() and not any(folder.iterdir())

"""Writes the site: an index of suites, a page a suite, a page an entry, and the tables beside them."""

from __future__ import annotations

import shutil
from importlib.resources import files
from typing import TYPE_CHECKING

from ictbench.board.board_tables import write_tables
from ictbench.board.entries import find_boards, read_board
from ictbench.board.ranking import rank
from ictbench.errors import SubmissionError
from ictbench.submissions.read_submission import read_trajectories
from ictbench.web.board.board_page import board_document, curves_of
from ictbench.web.board.entry_page import entry_document, report_document
from ictbench.web.board.index_page import index_document
from ictbench.web.report.episode_chunks import deflated, pack
from ictbench.web.report.html_shell import ASSETS, Shell, collecting
from ictbench.web.report.report_page import STYLES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ictbench.board.entries import Board, Entry
    from ictbench.board.ranking import Track

KIND = "ictbench leaderboard"
TABLES = "tables"
INDEX, BOARD, ENTRY = (
    Shell(KIND, name, (*STYLES, "site"), (files(__package__) / "assets", ASSETS))
    for name in ("index", "board", "entry")
)


def build_site(leaderboards: Path, out: Path, *, tables: bool = True) -> list[Path]:
    """Write the site of all boards in a folder, and answer its pages; with `tables`, those of the boards too.

    Raises:
        SubmissionError: a board cannot be read, or `out` holds something else or cannot be written.
    """
    boards = [read_board(folder) for folder in find_boards(leaderboards)]
    pages = write_site(boards, out)
    for board in boards if tables else ():
        shutil.copytree(out / board.suite / TABLES, board.folder.tables, dirs_exist_ok=True)
    return pages


def write_site(boards: Sequence[Board], out: Path) -> list[Path]:
    """Write the site of some boards, and answer its pages. One that was there is replaced once the new one is whole.

    Raises:
        SubmissionError: `out` holds something else or cannot be written.
    """
    ranked = [(board, rank(board.entries)) for board in boards]
    whole = out.resolve()
    new = whole.with_name(f"{whole.name}.part")
    try:
        if out.exists() and not _is_site(out):
            raise SubmissionError(f"{out} exists and is no site that was built; choose another --out")
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(parents=True)
        pages = [_write_index(new, ranked)]
        for board, tracks in ranked:
            pages += _write_board(new / board.suite, board, tracks)
        shutil.rmtree(whole, ignore_errors=True)
        new.rename(whole)
    except OSError as error:
        raise SubmissionError(f"{error.filename or out} cannot be written ({error.strerror})") from error
    finally:
        shutil.rmtree(new, ignore_errors=True)
    return [out / page.relative_to(new) for page in pages]


def _write_index(folder: Path, ranked: Sequence[tuple[Board, Sequence[Track]]]) -> Path:
    page = folder / "index.html"
    INDEX.write(page, KIND, index_document(ranked))
    return page


def _write_board(folder: Path, board: Board, tracks: Sequence[Track]) -> list[Path]:
    write_tables(board, tracks, folder / TABLES)
    (folder / "entries").mkdir()
    page = folder / "index.html"
    with collecting() as chunks:
        for track in tracks:
            chunks.add(f"curves-{track.key}", deflated(curves_of(track)))
        BOARD.write(page, f"{board.suite} - {KIND}", board_document(board, tracks), chunks)
    return [page, *(_write_entry(folder / "entries", board, tracks, entry) for entry in board.entries)]


def _write_entry(folder: Path, board: Board, tracks: Sequence[Track], entry: Entry) -> Path:
    page = folder / f"{entry.slug}.html"
    with collecting() as chunks:
        index = pack(read_trajectories(entry.folder), lambda number, text: chunks.add(f"chunk-0-{number}", text))
        chunks.add("report", deflated(report_document(entry, index)))
        title = f"{entry.submission.name}, {board.suite} - {KIND}"
        ENTRY.write(page, title, entry_document(board, tracks, entry), chunks)
    return page


def _is_site(folder: Path) -> bool:
    """Whether a folder is empty, or holds what was built here."""
    index = folder / "index.html"
    if not index.is_file():
        return folder.is_dir() and not any(folder.iterdir())
    with open(index, encoding="utf-8", errors="replace") as file:
        return INDEX.mark in file.read(2000)

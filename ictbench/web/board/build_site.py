"""Build of the site: an index of suites, a page per suite, a page per entry, and tables."""

from __future__ import annotations

import shutil
from functools import partial
from typing import TYPE_CHECKING

from ictbench.board.board_tables import write_tables
from ictbench.board.entries import find_boards, read_board
from ictbench.board.fault_isolation import process_board
from ictbench.board.ranking import rank
from ictbench.errors import SubmissionError
from ictbench.submissions.read_submission import read_content
from ictbench.web.board.about import About, about_document, read_about
from ictbench.web.board.board_chunks import add_board_chunks
from ictbench.web.board.entry_page import entry_document, run_document
from ictbench.web.board.evidence_files import publish_evidence
from ictbench.web.board.index_page import index_document
from ictbench.web.chunks import open_chunks
from ictbench.web.episode_chunks import pack_episodes
from ictbench.web.html_shell import STYLES, HtmlShell

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from ictbench.board.entries import BadEntry, Board, Entry
    from ictbench.board.ranking import Track
    from ictbench.records import Episode

GENERATOR = "ictbench leaderboard"
TABLES = "tables"
NOTHING_STATED = About()
INDEX, BOARD, ENTRY = (
    HtmlShell(GENERATOR, bundle, (*STYLES, "board/assets/site.css")) for bundle in ("index", "board", "entry")
)


def build_site(
    leaderboards: Path,
    out: Path,
    *,
    tables: bool = True,
    on_bad: Callable[[Board, BadEntry], None] = lambda board, bad: None,
) -> list[Path]:
    """Write the site of all boards in a folder. A bad entry is listed with its reason, and stops no other.

    Args:
        leaderboards: Folder with one board per suite.
        out: Folder of the site; a site built earlier is replaced.
        tables: Also write the tables of each board into its folder.
        on_bad: Called with each submission that cannot be shown.

    Returns:
        The pages, the index first.

    Raises:
        SubmissionError: A board or `about.yaml` cannot be read, or `out` is not a site or cannot be written.
    """
    boards = [read_board(folder) for folder in find_boards(leaderboards)]
    pages = write_site(boards, out, about=read_about(leaderboards), on_bad=on_bad)
    for board in boards if tables else ():
        shutil.copytree(out / board.suite / TABLES, board.folder.tables, dirs_exist_ok=True)
    return pages


def write_site(
    boards: Sequence[Board],
    out: Path,
    *,
    about: About = NOTHING_STATED,
    on_bad: Callable[[Board, BadEntry], None] = lambda board, bad: None,
) -> list[Path]:
    """Write the site of some boards and return its pages. An existing site is replaced once the new one is complete.

    Raises:
        SubmissionError: `out` is not a site or cannot be written.
    """
    site = out.resolve()
    part = site.with_name(f"{site.name}.part")
    try:
        if out.exists() and not _is_site(out):
            raise SubmissionError(f"{out} exists and is not a site built by ictbench; choose another --out")
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        shown = [process_board(board, partial(_write_board, part / board.suite, about)) for board in boards]
        pages = [_write_index(part, about, [(board, tracks) for board, (tracks, _) in shown])]
        pages += [page for _, (_, board_pages) in shown for page in board_pages]
        shutil.rmtree(site, ignore_errors=True)
        part.rename(site)
    except OSError as error:
        raise SubmissionError(f"{error.filename or out} cannot be written ({error.strerror})") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    for board, _ in shown:
        for bad in board.bad:
            on_bad(board, bad)
    return [out / page.relative_to(part) for page in pages]


def _write_index(folder: Path, about: About, ranked: Sequence[tuple[Board, Sequence[Track]]]) -> Path:
    page = folder / "index.html"
    document = index_document(ranked) | {"about": about_document(about, [board for board, _ in ranked])}
    INDEX.write(page, GENERATOR, document)
    return page


def _write_board(folder: Path, about: About, board: Board) -> tuple[tuple[Track, ...], list[Path]]:
    """Rank a board and write its pages into a folder, which is emptied first."""
    shutil.rmtree(folder, ignore_errors=True)
    tracks = rank(board.entries)
    write_tables(board, tracks, folder / TABLES)
    (folder / "entries").mkdir()
    page = folder / "index.html"
    with open_chunks() as chunks:
        document = add_board_chunks(board, tracks, chunks) | {"about": about_document(about, [board])}
        BOARD.write(page, f"{board.suite} - {GENERATOR}", document, chunks)
    return tracks, [page, *(_write_entry(folder, about, board, tracks, entry) for entry in board.entries)]


def _write_entry(folder: Path, about: About, board: Board, tracks: Sequence[Track], entry: Entry) -> Path:
    page = folder / "entries" / f"{entry.slug}.html"
    with open_chunks() as chunks:
        index = pack_episodes(_shown_episodes(entry), chunks, 0)
        chunks.add("report", run_document(entry, index))
        title = f"{entry.submission.name}, {board.suite} - {GENERATOR}"
        document = entry_document(board, tracks, entry) | {
            "about": about_document(about, [board], entry),
            "evidence": publish_evidence(about, board, entry, folder),
        }
        ENTRY.write(page, title, document, chunks)
    return page


def _shown_episodes(entry: Entry) -> Iterator[Episode]:
    """Return the episodes that an entry shows in full.

    Raises:
        SubmissionError: Its folder has changed since the board was read.
    """
    content = read_content(entry.folder)
    if content.submission.files != entry.submission.files:
        raise SubmissionError(f"{entry.folder.path} has changed since the board was read; build the site again")
    return content.shown_episodes()


def _is_site(folder: Path) -> bool:
    """Return whether a folder is empty or holds a site that `write_site` wrote."""
    index = folder / "index.html"
    return INDEX.is_page(index) if index.is_file() else folder.is_dir() and not any(folder.iterdir())

"""Build of the site: an index of suites, a page per suite, a page per entry, and tables."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from ictbench.board.bad_entry import BadEntry
from ictbench.board.board_tables import write_tables
from ictbench.board.entries import find_boards, read_board
from ictbench.board.fault_isolation import process_board
from ictbench.board.finding_cache import NO_CACHE, FindingCache
from ictbench.board.parallel import no_progress
from ictbench.board.ranking import rank
from ictbench.board.remembered_pairs import remembered_pairs
from ictbench.board.suite_gains import FILE_NAME, write_suite_gains
from ictbench.errors import SubmissionError
from ictbench.scratch import scratch_folder
from ictbench.web.board.about import About, about_document, about_entry, read_about
from ictbench.web.board.board_chunks import add_board_chunks
from ictbench.web.board.entry_page import BoardIndex, entry_document
from ictbench.web.board.entry_parts import parts_of, prepare_parts
from ictbench.web.board.evidence_files import publish_evidence
from ictbench.web.board.index_page import index_document
from ictbench.web.chunks import open_chunks
from ictbench.web.html_shell import STYLES, HtmlShell

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from ictbench.board.entries import Board, Entry
    from ictbench.board.parallel import OnProgress
    from ictbench.board.ranking import Track
    from ictbench.web.board.about import Json

GENERATOR = "ictbench leaderboard"
TABLES = "tables"
NOTHING_STATED = About()
INDEX, BOARD, ENTRY = (
    HtmlShell(GENERATOR, bundle, (*STYLES, "board/assets/site.css")) for bundle in ("index", "board", "entry")
)


class Place(NamedTuple):
    """Folder of a board's pages, and the same folder of the site that is replaced, which may not exist."""

    new: Path
    before: Path


def build_site(
    leaderboards: Path,
    out: Path,
    *,
    tables: bool = True,
    on_bad: Callable[[Board, BadEntry], None] = lambda board, bad: None,
    findings: FindingCache = NO_CACHE,
    on_progress: OnProgress = no_progress,
) -> list[Path]:
    """Write the site of all boards in a folder. A bad entry is listed with its reason, and stops no other.

    Args:
        leaderboards: Folder with one board per suite.
        out: Folder of the site; a site built earlier is replaced.
        tables: Also write the tables of each board into its folder.
        on_bad: Called with each submission that cannot be shown.
        findings: What earlier calls found.
        on_progress: Called after each entry.

    Returns:
        The pages, the index first.

    Raises:
        SubmissionError: A board or `about.yaml` cannot be read, or `out` is not a site or cannot be written.
    """
    boards = [read_board(folder, findings, on_progress) for folder in find_boards(leaderboards)]
    about = read_about(leaderboards)
    pages = write_site(boards, out, about=about, on_bad=on_bad, findings=findings, on_progress=on_progress)
    for board in boards if tables else ():
        shutil.copytree(out / board.suite / TABLES, board.folder.tables, dirs_exist_ok=True)
    for table in out.glob(f"{FILE_NAME}.*") if tables else ():
        shutil.copy(table, leaderboards / table.name)
    return pages


def write_site(
    boards: Sequence[Board],
    out: Path,
    *,
    about: About = NOTHING_STATED,
    on_bad: Callable[[Board, BadEntry], None] = lambda board, bad: None,
    findings: FindingCache = NO_CACHE,
    on_progress: OnProgress = no_progress,
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
        with _known_parts(findings) as parts:
            shown = [
                _write_board(Place(part / board.suite, site / board.suite), about, board, parts, on_progress)
                for board in boards
            ]
        write_suite_gains([board for board, _ in shown], part)
        pages = [_write_index(part, about, [(board, tracks) for board, (tracks, _) in shown])]
        pages += [page for _, (_, board_pages) in shown for page in board_pages]
        shutil.rmtree(site, ignore_errors=True)
        part.rename(site)
    except OSError as error:
        raise SubmissionError(
            f"{error.filename or out} cannot be written ({error.strerror}); choose another --out"
        ) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    for board, _ in shown:
        for bad in board.bad:
            on_bad(board, bad)
    return [out / page.relative_to(part) for page in pages]


@contextmanager
def _known_parts(findings: FindingCache) -> Iterator[FindingCache]:
    """Open a cache of the parts of pages: the given one, or one for this site."""
    if findings is not NO_CACHE:
        yield findings
        return
    with scratch_folder("parts") as folder:
        yield FindingCache(folder)


def _write_index(folder: Path, about: About, ranked: Sequence[tuple[Board, Sequence[Track]]]) -> Path:
    page = folder / "index.html"
    document = index_document(ranked) | {"about": about_document(about, [board for board, _ in ranked])}
    INDEX.write(page, GENERATOR, document)
    return page


def _write_board(
    place: Place, about: About, board: Board, findings: FindingCache, on_progress: OnProgress
) -> tuple[Board, tuple[tuple[Track, ...], list[Path]]]:
    """Write the pages of the entries that can be shown, and return the board without the others."""
    reasons = prepare_parts(board.entries, findings, f"pages of {board.suite}", on_progress)
    good = tuple(entry for entry, reason in zip(board.entries, reasons, strict=True) if not reason)
    bad = [BadEntry(entry.slug, reason) for entry, reason in zip(board.entries, reasons, strict=True) if reason]
    board = replace(board, entries=good, bad=(*board.bad, *bad))
    return process_board(board, partial(_write_pages, place, about, findings, on_progress))


def _write_pages(
    place: Place, about: About, findings: FindingCache, on_progress: OnProgress, board: Board
) -> tuple[tuple[Track, ...], list[Path]]:
    """Rank a board and write its pages into a folder, which is emptied first."""
    folder = place.new
    shutil.rmtree(folder, ignore_errors=True)
    tracks = rank(board.entries)
    write_tables(board, tracks, folder / TABLES)
    (folder / "entries").mkdir()
    page = folder / "index.html"
    with open_chunks() as chunks:
        about_board = about_document(about, [board])
        document = add_board_chunks(board, tracks, chunks) | {"about": about_board}
        BOARD.write(page, f"{board.suite} - {GENERATOR}", document, chunks)
    pages, index = [page], BoardIndex(board, tracks)
    with remembered_pairs(tracks, findings):
        for number, entry in enumerate(board.entries, 1):
            pages.append(_write_entry(place, about, about_board, findings, index, entry))
            on_progress(f"writing {board.suite}", number, len(board.entries))
    return tracks, pages


def _write_entry(
    place: Place, about: About, about_board: Json, findings: FindingCache, index: BoardIndex, entry: Entry
) -> Path:
    page = place.new / "entries" / f"{entry.slug}.html"
    with open_chunks() as chunks:
        for chunk_id, content in parts_of(entry, findings).chunks:
            chunks.add_compressed(chunk_id, content)
        title = f"{entry.submission.name}, {index.board.suite} - {GENERATOR}"
        document = entry_document(index, entry) | {
            "about": about_entry(about, about_board, entry),
            "evidence": publish_evidence(about, index.board, entry, *place),
        }
        ENTRY.write(page, title, document, chunks)
    return page


def _is_site(folder: Path) -> bool:
    """Return whether a folder is empty or holds a site that `write_site` wrote."""
    index = folder / "index.html"
    return INDEX.is_page(index) if index.is_file() else folder.is_dir() and not any(folder.iterdir())

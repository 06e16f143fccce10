"""What a folder records, row by row, checked against what its result counts."""

from __future__ import annotations

import sqlite3
import zlib
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from pydantic import ValidationError

from ictbench.errors import RunFolderError
from ictbench.results.build_rows import episode_row, reflection_rows, result_rows, uses_of
from ictbench.runs.journal import Journal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ictbench.records import Reflection
    from ictbench.results import Result
    from ictbench.results.rows import EpisodeRow, Row, Table
    from ictbench.runs.run_folder import RunFolder


def read_rows(folder: RunFolder, result: Result | None, table: Table) -> Iterator[Row]:
    """Rows of one table, one at a time; without a result there are episodes only.

    Raises:
        RunFolderError: the journal is missing or damaged, or lacks what the result counts.
    """
    if table == "episodes":
        yield from _episodes(folder, result)
    elif result and table == "reflections":
        yield from _reflections(folder, result)
    elif result:
        yield from result_rows(result)


@contextmanager
def reading(folder: RunFolder) -> Iterator[Journal]:
    """The folder's journal, to read.

    Raises:
        RunFolderError: it is missing or damaged.
    """
    if not folder.journal.exists():
        raise RunFolderError(f"{folder.journal} is missing, and it holds the episodes")
    try:
        with closing(Journal(folder.journal, read_only=True)) as journal:
            yield journal
    except (sqlite3.DatabaseError, zlib.error, ValidationError) as error:
        raise RunFolderError(f"journal {folder.journal} is damaged: {str(error).splitlines()[0]}") from error


def _episodes(folder: RunFolder, result: Result | None) -> Iterator[EpisodeRow]:
    uses = uses_of(result) if result else {}
    unseen = set(uses)
    with reading(folder) as journal:
        for episode in journal.episodes():
            unseen.discard(episode.key)
            yield episode_row(episode, uses)
    if unseen:
        raise RunFolderError(
            f"journal {folder.journal} lacks {len(unseen)} episodes that {folder.result.name} counts, "
            f"e.g. {min(unseen)}; they are not of one run"
        )


def _reflections(folder: RunFolder, result: Result) -> Iterator[Row]:
    with reading(folder) as journal:

        def recorded(family: str, loop: int, turn: int) -> Reflection:
            found = journal.reflection(family, loop, turn)
            if found is None:
                raise RunFolderError(
                    f"journal {folder.journal} lacks the reflection of {family}, loop {loop}, turn {turn}, that "
                    f"{folder.result.name} counts; they are not of one run"
                )
            return found

        yield from reflection_rows(result, recorded)

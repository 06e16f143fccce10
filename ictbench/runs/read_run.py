"""Rows of a run's tables, read from its journal and checked against its result."""

from __future__ import annotations

import sqlite3
import zlib
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from pydantic import ValidationError

from ictbench.errors import RunFolderError
from ictbench.results.build_rows import episode_row, reflection_rows, result_rows, uses_of
from ictbench.runs.journal import Journal, damaged

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ictbench.records import Reflection
    from ictbench.results import Result
    from ictbench.results.rows import EpisodeRow, Row, Table
    from ictbench.runs.run_folder import RunFolder


def read_rows(folder: RunFolder, result: Result | None, table: Table) -> Iterator[Row]:
    """Yield the rows of one table; without a result, only `episodes` has rows.

    Raises:
        RunFolderError: The journal is missing or damaged, or lacks an episode or reflection that the result counts.
    """
    if table == "episodes":
        yield from _episodes(folder, result)
    elif result and table == "reflections":
        yield from _reflections(folder, result)
    elif result:
        yield from result_rows(result)


@contextmanager
def open_journal(folder: RunFolder) -> Iterator[Journal]:
    """Open the journal of a folder for reading.

    Raises:
        RunFolderError: The journal is missing or damaged.
    """
    if not folder.journal.exists():
        raise RunFolderError(f"{folder.journal} is missing, and it holds the episodes")
    try:
        with closing(Journal(folder.journal, read_only=True)) as journal:
            yield journal
    except (sqlite3.DatabaseError, zlib.error, ValidationError) as error:
        raise damaged(folder.journal, error) from error


def _episodes(folder: RunFolder, result: Result | None) -> Iterator[EpisodeRow]:
    uses = uses_of(result) if result else {}
    missing = set(uses)
    with open_journal(folder) as journal:
        for episode in journal.episodes():
            missing.discard(episode.key)
            yield episode_row(episode, uses)
    if missing:
        raise RunFolderError(
            f"journal {folder.journal} lacks {len(missing)} episodes that {folder.result.name} counts, "
            f"e.g. {min(missing)}; they are not of one run"
        )


def _reflections(folder: RunFolder, result: Result) -> Iterator[Row]:
    with open_journal(folder) as journal:

        def recorded(family: str, loop: int, turn: int) -> Reflection:
            reflection = journal.reflection(family, loop, turn)
            if reflection is None:
                raise RunFolderError(
                    f"journal {folder.journal} lacks the reflection of {family}, loop {loop}, turn {turn}, that "
                    f"{folder.result.name} counts; they are not of one run"
                )
            return reflection

        yield from reflection_rows(result, recorded)

"""Journal of a run: every finished episode and reflection, committed as soon as it finishes.

The database is SQLite in write-ahead mode: after a kill at any instant, it still holds everything committed.
"""

from __future__ import annotations

import itertools
import json
import sqlite3
import zlib
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import ValidationError

from ictbench.errors import JournalError, RunFolderError
from ictbench.records import Episode, EpisodeSummary, Record, Reflection, Usage
from ictbench.safe_read import parse_json, reading
from ictbench.visible_text import one_line

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from pathlib import Path

R = TypeVar("R", bound=Record)

DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
"""Error codes of a database whose file is damaged; others say that it cannot be written now."""

PRIMARY_CODE = 0xFF
"""Bits of an error code of SQLite that say its kind."""

LAYOUT = 2
"""Version of the tables, raised with every change to them."""

SCHEMA = f"""
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS episodes (
    key TEXT PRIMARY KEY, solved INTEGER NOT NULL, failure TEXT, summary TEXT NOT NULL,
    started REAL NOT NULL, seconds REAL NOT NULL, record BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS reflections (
    family TEXT, loop INTEGER, turn INTEGER, seconds REAL NOT NULL, record BLOB NOT NULL,
    PRIMARY KEY (family, loop, turn)
);
PRAGMA user_version = {LAYOUT};
"""

KEYS_PER_QUERY = 500

MAX_RECORD = 100_000_000
"""Maximum bytes of one record or note, packed and unpacked."""

MAX_NOTE_VALUES = 1_000_000
"""Maximum commas in a note."""


class Journal:
    """Journal of one run. Records are compressed JSON; summaries have a column of their own, so that they load fast."""

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        """Open the journal, or create it.

        Raises:
            RunFolderError: The file is not a journal of this version.
        """
        self._path = path
        try:
            if read_only:
                self._database = _open_to_read(path)
                return
            self._database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            (layout,) = self._database.execute("PRAGMA user_version").fetchone()
            (tables,) = self._database.execute("SELECT count(*) FROM sqlite_master").fetchone()
            if tables and layout != LAYOUT:
                raise RunFolderError(f"journal {path} was written by another version of ictbench; choose another --out")
            # NORMAL survives a kill of the process at any instant; only a power failure can lose the last commits.
            self._database.executescript(f"PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; {SCHEMA}")
        except sqlite3.DatabaseError as error:
            raise RunFolderError(f"journal {path} cannot be used: {error}") from error

    def close(self) -> None:
        """Merge the write-ahead log into the file and close it."""
        self._database.close()

    def add_episode(self, episode: Episode, started: float, seconds: float, spent: Usage) -> None:
        """Commit a finished episode, and the usage of the run so far; `started` is a Unix time."""
        summary, failure = episode.summary().model_dump_json(), episode.trajectory.failure
        record = _pack(episode.model_dump_json())
        row = (episode.key, episode.trajectory.solved, failure, summary, started, seconds, record)
        with self.transaction():
            self._database.execute("INSERT OR IGNORE INTO episodes VALUES (?, ?, ?, ?, ?, ?, ?)", row)
            self._set("spent", spent.model_dump(mode="json"))

    def episode(self, key: str) -> Episode | None:
        """Return a finished episode by its full key."""
        row = next(self._rows("SELECT record FROM episodes WHERE key = ?", (key,)), None)
        return self._decode(Episode, row[0]) if row else None

    def episodes(self) -> Iterator[Episode]:
        """Yield all finished episodes, sorted by key."""
        for (record,) in self._rows("SELECT record FROM episodes ORDER BY key"):
            yield self._decode(Episode, record)

    def count(self) -> int:
        """Return the number of finished episodes."""
        ((count,),) = self._rows("SELECT count(*) FROM episodes")
        return int(count)

    def keys(self, prefix: str = "") -> list[str]:
        """Return the keys of finished episodes that start with `prefix`, sorted."""
        rows = self._rows("SELECT key FROM episodes WHERE substr(key, 1, ?) = ? ORDER BY key", (len(prefix), prefix))
        return [key for (key,) in rows]

    def solved(self, keys: Iterable[str]) -> dict[str, bool]:
        """Return whether each finished episode among `keys` was solved."""
        return {key: bool(solved) for key, solved in self._select("key, solved", keys)}

    def summaries(self, keys: Iterable[str]) -> dict[str, EpisodeSummary]:
        """Return the summary of each finished episode among `keys`."""
        rows = self._select("key, summary", keys)
        return {key: self._checked(EpisodeSummary, summary) for key, summary in rows}

    def failed(self, kinds: Collection[str]) -> dict[str, str]:
        """Return the episodes that failed in one of these ways: kind of failure by key."""
        marks = ", ".join("?" * len(kinds))
        return dict(self._rows(f"SELECT key, failure FROM episodes WHERE failure IN ({marks})", (*kinds,)))

    def failures(self) -> dict[str | None, int]:
        """Return the number of finished episodes by kind of failure; None stands for no failure."""
        return dict(self._rows("SELECT failure, count(*) FROM episodes GROUP BY failure"))

    def times(self) -> Iterator[tuple[str, float, float]]:
        """Yield key, start as Unix time, and seconds of every episode, in order of start."""
        yield from self._rows("SELECT key, started, seconds FROM episodes ORDER BY started, key")

    def add_reflection(
        self, family: str, loop: int, turn: int, reflection: Reflection, seconds: float, spent: Usage
    ) -> None:
        """Commit a reflection, and the usage of the run so far."""
        row = (family, loop, turn, seconds, _pack(reflection.model_dump_json()))
        with self.transaction():
            self._database.execute("INSERT OR REPLACE INTO reflections VALUES (?, ?, ?, ?, ?)", row)
            self._set("spent", spent.model_dump(mode="json"))

    def reflection(self, family: str, loop: int, turn: int) -> Reflection | None:
        """Return the reflection of a turn (1 … N), or None."""
        query = "SELECT record FROM reflections WHERE family = ? AND loop = ? AND turn = ?"
        row = next(self._rows(query, (family, loop, turn)), None)
        return self._decode(Reflection, row[0]) if row else None

    def reflections(self) -> Iterator[Reflection]:
        """Yield all reflections, sorted by family, loop and turn."""
        for (record,) in self._rows("SELECT record FROM reflections ORDER BY family, loop, turn"):
            yield self._decode(Reflection, record)

    def reflection_failures(self, family: str, loop: int) -> dict[int, str]:
        """Return the unusable reflections of a loop: kind of failure by turn."""
        query = "SELECT turn, record FROM reflections WHERE family = ? AND loop = ? ORDER BY turn"
        rows = self._rows(query, (family, loop))
        failures = {turn: self._decode(Reflection, record).failure for turn, record in rows}
        return {turn: failure for turn, failure in failures.items() if failure}

    def turns_done(self) -> dict[str, int]:
        """Return the number of recorded reflections by family."""
        return dict(self._rows("SELECT family, count(*) FROM reflections GROUP BY family"))

    def forget_episodes(self, keys: Iterable[str]) -> None:
        """Remove episodes."""
        with self.transaction():
            self._database.executemany("DELETE FROM episodes WHERE key = ?", [(key,) for key in keys])

    def forget_reflections(self, family: str, loop: int, first_turn: int) -> None:
        """Remove the reflections of a loop from `first_turn` on."""
        with self.transaction():
            self._database.execute(
                "DELETE FROM reflections WHERE family = ? AND loop = ? AND turn >= ?", (family, loop, first_turn)
            )

    def get(self, name: str, default: Any = None) -> Any:
        """Return the JSON value noted under a name."""
        row = next(self._rows("SELECT value FROM meta WHERE name = ?", (name,)), None)
        if row is None:
            return default
        where = f"{name!r} in journal {self._path}"
        if not isinstance(row[0], str):
            raise RunFolderError(f"{where} is no text: another program wrote or changed it")
        with reading(RunFolderError):
            return parse_json(row[0].encode(), where, MAX_NOTE_VALUES)

    def note(self, name: str, value: Any) -> None:
        """Note a JSON value under a name."""
        with self.transaction():
            self._set(name, value)

    def _set(self, name: str, value: Any) -> None:
        self._database.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, json.dumps(value)))

    def _select(self, columns: str, keys: Iterable[str]) -> Iterator[Any]:
        remaining = iter(keys)
        while batch := list(itertools.islice(remaining, KEYS_PER_QUERY)):
            marks = ", ".join("?" * len(batch))
            yield from self._rows(f"SELECT {columns} FROM episodes WHERE key IN ({marks})", batch)

    def _rows(self, query: str, values: Sequence[object] = ()) -> Iterator[Any]:
        """Yield the rows of a query.

        Raises:
            RunFolderError: The file is damaged.
        """
        try:
            yield from self._database.execute(query, values)
        except sqlite3.DatabaseError as error:
            raise damaged(self._path, error) from error

    def _decode(self, model: type[R], record: object) -> R:
        """Return a compressed record."""
        try:
            return self._checked(model, _unpack(record))
        except zlib.error as error:
            raise damaged(self._path, error) from error

    def _checked(self, model: type[R], text: str | bytes) -> R:
        try:
            return model.model_validate_json(text)
        except ValidationError as error:
            raise damaged(self._path, error) from error

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit everything in the block, or nothing; an inner block belongs to the outer one.

        Raises:
            JournalError: The journal cannot be written.
        """
        if self._database.in_transaction:
            yield
            return
        try:
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._database.execute("COMMIT")
            except BaseException:
                if self._database.in_transaction:
                    self._database.execute("ROLLBACK")
                raise
        except sqlite3.Error as error:
            if getattr(error, "sqlite_errorcode", 0) & PRIMARY_CODE in DAMAGED:
                raise damaged(self._path, error) from error
            raise JournalError(
                f"journal {self._path} cannot be written ({error}); everything recorded so far is kept: free some space"
            ) from error


def damaged(path: Path, error: Exception) -> RunFolderError:
    """Return the error for a journal that cannot be read."""
    problem = one_line(str(error).splitlines()[0])
    return RunFolderError(
        f"journal {path} is damaged: {problem}; put back a copy of it, or start again in a new folder"
    )


def _open_to_read(path: Path) -> sqlite3.Connection:
    """Return a read-only connection, also to a file on read-only storage, where SQLite cannot write its side files.

    The journal may be a stranger's: its tables must be exactly ours, since a view or a trigger in their place could run
    without end.
    """
    if not path.is_file() or path.is_symlink():
        raise RunFolderError(f"journal {path} is not a plain file; put the run's own there")
    for mode in ("mode=ro", "immutable=1"):
        if mode == "immutable=1" and _has_unmerged_log(path):
            # Without its log, which a process writes now or a killed one left, the file lacks the last records.
            raise RunFolderError(f"{path}-wal cannot be used here; copy the folder of the run, or make it writable")
        database = sqlite3.connect(f"{path.absolute().as_uri()}?{mode}", uri=True)
        database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_RECORD)
        try:
            found = database.execute("SELECT type, sql FROM sqlite_master WHERE sql IS NOT NULL LIMIT 100").fetchall()
        except sqlite3.OperationalError:
            database.close()
            if mode == "immutable=1":
                raise
        else:
            _check_tables(path, found)
            # Everything is read from one snapshot, while another process may write.
            database.execute("BEGIN")
            return database
    raise AssertionError("not reached")


def _has_unmerged_log(path: Path) -> bool:
    log = path.with_name(f"{path.name}-wal")
    return log.exists() and log.stat().st_size > 0


def _check_tables(path: Path, found: list[tuple[str, str]]) -> None:
    if {(kind, _plain(sql)) for kind, sql in found} != OWN_TABLES:
        raise RunFolderError(
            f"journal {path} has other tables than those of ictbench; another program wrote or changed it"
        )


def _plain(sql: str) -> str:
    """Return the definition of a table without what SQLite may store differently."""
    return " ".join(sql.replace("IF NOT EXISTS ", "").split())


OWN_TABLES = {("table", _plain(statement)) for statement in SCHEMA.split(";") if "CREATE TABLE" in statement}


def _unpack(record: object) -> bytes:
    """Return a record; at most `MAX_RECORD` bytes of it are unpacked. A column of SQLite may hold values of any type.

    Raises:
        RunFolderError: It is larger, or no record.
    """
    if not isinstance(record, bytes):
        raise RunFolderError("the journal is damaged: a record is no compressed data")
    machine = zlib.decompressobj()
    text = machine.decompress(record, MAX_RECORD)
    if machine.unconsumed_tail:
        raise RunFolderError(
            f"a record of the journal unpacks to more than {MAX_RECORD:,} bytes, more than any episode"
        )
    return text


def _pack(text: str) -> bytes:
    return zlib.compress(text.encode(), 6)

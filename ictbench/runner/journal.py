"""The journal: every finished episode and reflection of a run, committed as it finishes.

SQLite in write-ahead mode: killed at any instant, the journal opens again with all that was committed.
"""

from __future__ import annotations

import json
import sqlite3
import zlib
from typing import TYPE_CHECKING, Any

from ictbench.errors import RunFolderError
from ictbench.records import Episode, EpisodeSummary, Reflection

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS episodes (
    key TEXT PRIMARY KEY, summary TEXT NOT NULL, started REAL NOT NULL, seconds REAL NOT NULL, record BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS reflections (
    family TEXT, loop INTEGER, turn INTEGER, seconds REAL NOT NULL, record BLOB NOT NULL,
    PRIMARY KEY (family, loop, turn)
);
"""


class Journal:
    """One run's journal. Records are JSON, deflated; summaries are kept apart so that they load fast."""

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        """Open the journal, or make it.

        Raises:
            RunFolderError: the file is there and is no journal.
        """
        try:
            if read_only:
                self._database = _open_to_read(path)
                return
            self._database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            # NORMAL survives the death of the process at any instant; only a power cut can cost the last commits.
            self._database.executescript(f"PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; {SCHEMA}")
        except sqlite3.DatabaseError as error:
            raise RunFolderError(f"journal {path} cannot be used: {error}") from error

    def close(self) -> None:
        """Fold the write-ahead log into the file and close it."""
        self._database.close()

    def add_episode(self, episode: Episode, started: float, seconds: float) -> EpisodeSummary:
        """Commit a finished episode; `started` is a Unix time."""
        summary = episode.summary()
        row = (episode.key, summary.model_dump_json(), started, seconds, _pack(episode.model_dump_json()))
        self._database.execute("INSERT OR IGNORE INTO episodes VALUES (?, ?, ?, ?, ?)", row)
        return summary

    def episode(self, key: str) -> Episode | None:
        """A finished episode by its whole key."""
        row = self._database.execute("SELECT record FROM episodes WHERE key = ?", (key,)).fetchone()
        return Episode.model_validate_json(_unpack(row[0])) if row else None

    def episodes(self) -> Iterator[Episode]:
        """All finished episodes, by key."""
        for (record,) in self._database.execute("SELECT record FROM episodes ORDER BY key"):
            yield Episode.model_validate_json(_unpack(record))

    def keys(self, prefix: str = "") -> list[str]:
        """Keys of finished episodes that start with `prefix`, sorted."""
        rows = self._database.execute(
            "SELECT key FROM episodes WHERE substr(key, 1, ?) = ? ORDER BY key", (len(prefix), prefix)
        )
        return [key for (key,) in rows]

    def summaries(self) -> dict[str, EpisodeSummary]:
        """Summaries of all finished episodes, by key."""
        rows = self._database.execute("SELECT key, summary FROM episodes")
        return {key: EpisodeSummary.model_validate_json(summary) for key, summary in rows}

    def times(self) -> Iterator[tuple[str, float, float]]:
        """Key, start as Unix time, and seconds of every episode, in order of start."""
        yield from self._database.execute("SELECT key, started, seconds FROM episodes ORDER BY started, key")

    def add_reflection(self, family: str, loop: int, turn: int, reflection: Reflection, seconds: float) -> None:
        """Commit a reflection."""
        row = (family, loop, turn, seconds, _pack(reflection.model_dump_json()))
        self._database.execute("INSERT OR REPLACE INTO reflections VALUES (?, ?, ?, ?, ?)", row)

    def reflection(self, family: str, loop: int, turn: int) -> Reflection | None:
        """A reflection by its turn (1 … N)."""
        query = "SELECT record FROM reflections WHERE family = ? AND loop = ? AND turn = ?"
        row = self._database.execute(query, (family, loop, turn)).fetchone()
        return Reflection.model_validate_json(_unpack(row[0])) if row else None

    def reflections(self) -> Iterator[Reflection]:
        """All reflections, by family, loop and turn."""
        for (record,) in self._database.execute("SELECT record FROM reflections ORDER BY family, loop, turn"):
            yield Reflection.model_validate_json(_unpack(record))

    def forget_episodes(self, keys: Iterable[str]) -> None:
        """Remove episodes that are to be played again."""
        self._database.executemany("DELETE FROM episodes WHERE key = ?", [(key,) for key in keys])

    def forget_reflections(self, family: str, loop: int, first_turn: int) -> None:
        """Remove a loop's reflections from a turn on."""
        self._database.execute(
            "DELETE FROM reflections WHERE family = ? AND loop = ? AND turn >= ?", (family, loop, first_turn)
        )

    def get(self, name: str, default: Any = None) -> Any:
        """A value noted under a name."""
        row = self._database.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return json.loads(row[0]) if row else default

    def note(self, name: str, value: Any) -> None:
        """Note a JSON value under a name."""
        self._database.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, json.dumps(value)))


def _open_to_read(path: Path) -> sqlite3.Connection:
    """A connection that never writes; where not even SQLite's own side files can be, one that looks for none."""
    for mode in ("mode=ro", "immutable=1"):
        database = sqlite3.connect(f"{path.absolute().as_uri()}?{mode}", uri=True)
        try:
            database.execute("SELECT 1 FROM episodes LIMIT 1")
        except sqlite3.OperationalError:
            database.close()
            if mode == "immutable=1":
                raise
        else:
            return database
    raise AssertionError("not reached")


def _pack(text: str) -> bytes:
    return zlib.compress(text.encode(), 6)


def _unpack(record: bytes) -> bytes:
    return zlib.decompress(record)

"""Response cache in one SQLite file that many processes may share."""

from __future__ import annotations

import json
import logging
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING

from ictbench.errors import ConfigError
from ictbench.models.chat_model import Completion
from ictbench.records import Usage, digest_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ictbench.models.chat_model import ChatModel, Constraint, Message

WRITE_SECONDS = 30.0
"""Maximum time that a writer waits for another process to finish its write."""
READ_SECONDS = 0.1
"""The same for a reader, which hardly ever waits: it blocks the event loop."""

log = logging.getLogger(__name__)


class ResponseCache:
    """Replies by model, address, sampling, messages, seed and constraint; a cached reply costs nothing.

    Replies are stored in batches by a thread. A reply that cannot be stored or read is requested again later; this is
    logged, but it never stops a run.
    """

    def __init__(self, path: Path) -> None:
        """Open the cache; create the file if it does not exist.

        Raises:
            ConfigError: The file cannot be used.
        """
        self._path = path
        try:
            self._database = _connect(path, WRITE_SECONDS)
            self._database.execute("PRAGMA journal_mode=WAL")
            self._database.execute("PRAGMA synchronous=NORMAL")
            self._database.execute(
                "CREATE TABLE IF NOT EXISTS replies (key TEXT PRIMARY KEY, reply TEXT) WITHOUT ROWID"
            )
            self._reader = _connect(path, READ_SECONDS)
        except sqlite3.Error as error:
            raise ConfigError(f"response cache {path} cannot be used ({error}); choose another --cache") from error
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="ictbench-cache")
        self._lock = threading.Lock()
        self._pending: dict[str, str] = {}
        """Replies that are not stored yet."""
        self._unreadable: set[str] = set()
        """Keys whose stored replies cannot be read, and are replaced by the next ones."""
        self._warned: set[str] = set()

    def key(
        self, model: ChatModel, messages: Sequence[Message], seed: int | None, constraint: Constraint | None
    ) -> str:
        """Return the SHA-256 of everything that a reply may depend on.

        Of fingerprints, only one that is known before the first reply is part of the key: one that arrives with the
        reply is not known when the cache is looked up.
        """
        restriction = [constraint.style, list(constraint.choices)] if constraint else None
        spec = model.spec.model_dump(mode="json", exclude={"timeout"})
        return digest_of([model.address, model.known_fingerprint, spec, list(messages), seed, restriction])

    def get(self, key: str) -> Completion | None:
        """Return the cached reply, if there is one."""
        # Before the query, because the reply may be stored in between.
        with self._lock:
            pending = self._pending.get(key)
        try:
            row = self._reader.execute("SELECT reply FROM replies WHERE key = ?", (key,)).fetchone()
        except sqlite3.Error as error:
            self._warn(f"replies cannot be read ({error})")
            row = None
        reply = row[0] if row else pending
        if reply is None:
            return None
        try:
            return _completion(reply)
        except (ValueError, TypeError, RecursionError) as error:
            self._warn(f"a stored reply cannot be read ({error})")
            with self._lock:
                self._unreadable.add(key)
            return None

    def put(self, key: str, completion: Completion) -> None:
        """Store a reply, unless the key already has one; return at once."""
        # With escapes, because a lone surrogate has no encoding.
        reply = json.dumps([completion.text, completion.finish_reason, *completion.calls])
        with self._lock:
            if key in self._pending:
                return
            self._pending[key] = reply
            is_first = len(self._pending) == 1
        if is_first:
            # RuntimeError: the cache is closed already.
            with suppress(RuntimeError):
                self._writer.submit(self._store)

    def close(self) -> None:
        """Store what is pending, and close the file."""
        self._writer.shutdown()
        self._reader.close()
        self._database.close()

    def _store(self) -> None:
        """Store what is pending, in one transaction for all that came meanwhile, until nothing is pending."""
        while True:
            with self._lock:
                batch, replaced = dict(self._pending), tuple(self._unreadable)
            try:
                self._write(batch, replaced)
            except sqlite3.Error as error:
                self._warn(f"replies cannot be stored ({error})")
            with self._lock:
                for key in batch:
                    del self._pending[key]
                self._unreadable.difference_update(replaced)
                if not self._pending:
                    return

    def _write(self, batch: dict[str, str], replaced: tuple[str, ...]) -> None:
        self._database.execute("BEGIN IMMEDIATE")
        try:
            self._database.executemany("DELETE FROM replies WHERE key = ?", ((key,) for key in replaced))
            self._database.executemany("INSERT OR IGNORE INTO replies VALUES (?, ?)", batch.items())
            self._database.execute("COMMIT")
        except sqlite3.Error:
            # Some errors, such as a full disk, have ended the transaction already.
            with suppress(sqlite3.Error):
                self._database.execute("ROLLBACK")
            raise

    def _warn(self, message: str) -> None:
        """Log a problem once."""
        if message not in self._warned:
            self._warned.add(message)
            log.warning("response cache %s: %s; the run goes on, and requests them again", self._path, message)


def _connect(path: Path, seconds: float) -> sqlite3.Connection:
    return sqlite3.connect(path, isolation_level=None, timeout=seconds, check_same_thread=False)


def _completion(reply: str) -> Completion:
    """Return a stored reply.

    Raises:
        ValueError, TypeError: It is not one.
    """
    text, finish_reason, *calls = json.loads(reply)
    if not (isinstance(text, str) and isinstance(finish_reason, str) and all(isinstance(call, dict) for call in calls)):
        raise TypeError("it is not a reply")
    return Completion(text, Usage(cache_hits=1), finish_reason, tuple(calls))  # type: ignore[arg-type]

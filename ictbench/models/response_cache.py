"""Response cache in one SQLite file that many processes may share."""

from __future__ import annotations

import json
import sqlite3
from typing import TYPE_CHECKING

from ictbench.errors import ConfigError
from ictbench.models.chat_model import Completion
from ictbench.records import Usage, digest_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ictbench.models.chat_model import ChatModel, Constraint, Message

LOCK_SECONDS = 30.0
"""Maximum time that a writer waits for another process to finish its write."""


class ResponseCache:
    """Replies by model, address, sampling, messages, seed and constraint; a cached reply costs nothing."""

    def __init__(self, path: Path) -> None:
        """Open the cache; create the file if it does not exist.

        Raises:
            ConfigError: The file cannot be used.
        """
        try:
            self._database = sqlite3.connect(path, isolation_level=None, timeout=LOCK_SECONDS, check_same_thread=False)
            self._database.execute("PRAGMA journal_mode=WAL")
            self._database.execute("PRAGMA synchronous=NORMAL")
            self._database.execute(
                "CREATE TABLE IF NOT EXISTS replies (key TEXT PRIMARY KEY, reply TEXT) WITHOUT ROWID"
            )
        except sqlite3.Error as error:
            raise ConfigError(f"response cache {path} cannot be used: {error}") from error

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
        row = self._database.execute("SELECT reply FROM replies WHERE key = ?", (key,)).fetchone()
        if row is None:
            return None
        text, finish_reason, *calls = json.loads(row[0])
        return Completion(text, Usage(cache_hits=1), finish_reason, tuple(calls))

    def put(self, key: str, completion: Completion) -> None:
        """Store a reply, unless the key already has one."""
        reply = json.dumps([completion.text, completion.finish_reason, *completion.calls], ensure_ascii=False)
        self._database.execute("INSERT OR IGNORE INTO replies VALUES (?, ?)", (key, reply))

    def close(self) -> None:
        """Close the file."""
        self._database.close()

"""A cache of replies in one SQLite file, safe with many processes."""

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

WAIT_SECONDS = 30.0
"""How long a writer waits for another process to finish its own write."""


class ResponseCache:
    """Same address, model, sampling, messages, seed and constraint → the same reply, which costs nothing."""

    def __init__(self, path: Path) -> None:
        """Open the cache, or make it.

        Raises:
            ConfigError: the file cannot be used.
        """
        try:
            self._database = sqlite3.connect(path, isolation_level=None, timeout=WAIT_SECONDS, check_same_thread=False)
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
        """SHA-256 of everything that a reply may depend on.

        Only a fingerprint that is known before the first reply counts: one that a provider tells along with it
        cannot be known when the question is asked.
        """
        asked = [constraint.style, list(constraint.choices)] if constraint else None
        spec = model.spec.model_dump(mode="json", exclude={"timeout"})
        return digest_of([model.address, model.known_fingerprint, spec, list(messages), seed, asked])

    def get(self, key: str) -> Completion | None:
        """A reply given before."""
        row = self._database.execute("SELECT reply FROM replies WHERE key = ?", (key,)).fetchone()
        if row is None:
            return None
        text, finish_reason, *calls = json.loads(row[0])
        return Completion(text, Usage(cache_hits=1), finish_reason, tuple(calls))

    def put(self, key: str, completion: Completion) -> None:
        """Keep a reply; the first one stays."""
        reply = json.dumps([completion.text, completion.finish_reason, *completion.calls], ensure_ascii=False)
        self._database.execute("INSERT OR IGNORE INTO replies VALUES (?, ?)", (key, reply))

    def close(self) -> None:
        """Close the file."""
        self._database.close()

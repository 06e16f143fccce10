"""Bounded cache of evidence in the user's cache folder. A file is named for its SHA-256, which each reading checks."""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from typing import TYPE_CHECKING

from ictbench.errors import ConfigError, SubmissionError
from ictbench.runs.run_folder import write_atomically
from ictbench.safe_read import read_bytes
from ictbench.user_folders import cache_folder

if TYPE_CHECKING:
    from pathlib import Path

MAX_BYTES = 2_000_000_000
"""Size of all files together; those not used for the longest time are removed."""


def read(digest: str, size: int) -> bytes | None:
    """Return a file of this digest and size; None if the cache does not hold it."""
    try:
        path = _folder() / digest
        content = read_bytes(path, size)
        os.utime(path)
    except (ConfigError, SubmissionError, OSError):
        return None
    return content if len(content) == size and hashlib.sha256(content).hexdigest() == digest else None


def write(digest: str, content: bytes) -> None:
    """Keep a file. A cache that cannot be written is left as it is: it only saves time."""
    with suppress(ConfigError, OSError):
        folder = _folder()
        folder.mkdir(parents=True, exist_ok=True)
        write_atomically(folder / digest, content)
        _trim(folder)


def _folder() -> Path:
    return cache_folder() / "ictbench" / "evidence"


def _trim(folder: Path) -> None:
    """Remove the files not used for the longest time until the rest fits."""
    used = sorted(((entry.stat(), entry.path) for entry in os.scandir(folder)), key=lambda one: -one[0].st_mtime)
    total = 0
    for status, path in used:
        total += status.st_size
        if total > MAX_BYTES:
            with suppress(FileNotFoundError):  # another process removed it
                os.unlink(path)

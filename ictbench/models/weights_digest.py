"""Digests of weights on disk, which identify a local model."""

from __future__ import annotations

import functools
import hashlib
from typing import TYPE_CHECKING

from ictbench.errors import ConfigError
from ictbench.records import digest_of

if TYPE_CHECKING:
    from pathlib import Path

PATTERNS = ("*.safetensors", "*model*.bin")


def weights_digest(path: Path) -> str:
    """Return the digest `sha256:…` of a weights file, or of all weights files in a folder.

    Reading takes about a second per gigabyte. The result is cached in this process until size or time of a file change.

    Raises:
        ConfigError: The weights cannot be read, or the folder has none.
    """
    try:
        if path.is_file():
            return f"sha256:{_file_digest(path)}"
        files = sorted({file for pattern in PATTERNS for file in path.glob(pattern)})
        digests = [[file.name, _file_digest(file)] for file in files]
    except OSError as error:
        raise ConfigError(f"weights {str(path)!r} cannot be read: {error.strerror}") from error
    if not digests:
        raise ConfigError(f"{str(path)!r} contains no weights ({', '.join(PATTERNS)})")
    return f"sha256:{digest_of(digests)}"


def _file_digest(path: Path) -> str:
    status = path.stat()
    return _digest(path.resolve(), status.st_size, status.st_mtime_ns)


@functools.cache
def _digest(path: Path, size: int, mtime: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

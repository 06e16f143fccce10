"""Compressed data blocks of a page, which its script decompresses on demand."""

from __future__ import annotations

import base64
import json
import shutil
import tempfile
import zlib
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator


class ChunkAdder(Protocol):
    """Collection of chunks to which can be added."""

    def add(self, chunk_id: str, content: Any) -> None:
        """Compress JSON content and add it under an id."""


class Chunks:
    """Chunks of a page that is being written, kept in a temporary file: there may be hundreds of megabytes."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file

    def add(self, chunk_id: str, content: Any) -> None:
        """Compress JSON content and add it under an id of letters, digits and hyphens."""
        self.add_compressed(chunk_id, compress_json(content))

    def add_compressed(self, chunk_id: str, content: str) -> None:
        """Add what `compress_json` returned."""
        self._file.write(f'<script type="application/octet-stream;base64" id="{chunk_id}">{content}</script>\n')

    def copy_to(self, page: IO[str]) -> None:
        """Write all chunks in the order in which they were added."""
        self._file.seek(0)
        shutil.copyfileobj(self._file, page)


@contextmanager
def open_chunks() -> Iterator[Chunks]:
    """Open an empty collection of chunks."""
    with tempfile.TemporaryFile("w+", encoding="ascii") as file:
        yield Chunks(file)


def compress_json(content: Any) -> str:
    """Return content as JSON, deflated (RFC 1950) and in base64."""
    plain = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return base64.b64encode(zlib.compress(plain.encode(), 9)).decode()

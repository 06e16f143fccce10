"""The log of a run: what happened, line by line, in its folder."""

from __future__ import annotations

import logging
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ictbench.errors import RunFolderError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def logged(path: Path, level: str) -> Iterator[None]:
    """Append what the package logs from `level` on to a file, while the block runs; times are UTC.

    Raises:
        RunFolderError: the file cannot be written.
    """
    try:
        handler = logging.FileHandler(path, encoding="utf-8")
    except OSError as error:
        raise RunFolderError(f"log {path} cannot be written: {error.strerror}") from error
    formatter = logging.Formatter("%(asctime)s.%(msecs)03dZ %(levelname)s %(message)s", "%Y-%m-%dT%H:%M:%S")
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    handler.setLevel(level.upper())
    logger = logging.getLogger("ictbench")
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(min(handler.level, before or handler.level))
    try:
        yield
    finally:
        logger.setLevel(before)
        logger.removeHandler(handler)
        handler.close()

"""Log file of a run."""

from __future__ import annotations

import logging
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ictbench.errors import RunFolderError
from ictbench.visible_text import visible

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class _VisibleFormatter(logging.Formatter):
    """Formatter that replaces control characters, since a log is read on a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        return visible(super().format(record))


@contextmanager
def log_to_file(path: Path, level: str) -> Iterator[None]:
    """Append the package's log records of `level` and above to a file, with times in UTC, while the block runs.

    Raises:
        RunFolderError: The file cannot be written.
    """
    try:
        handler = logging.FileHandler(path, encoding="utf-8")
    except OSError as error:
        raise RunFolderError(f"log {path} cannot be written: {error.strerror}") from error
    formatter = _VisibleFormatter("%(asctime)s.%(msecs)03dZ %(levelname)s %(message)s", "%Y-%m-%dT%H:%M:%S")
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    handler.setLevel(level.upper())
    logger = logging.getLogger("ictbench")
    previous_level = logger.level
    logger.addHandler(handler)
    logger.setLevel(min(handler.level, previous_level or handler.level))
    try:
        yield
    finally:
        logger.setLevel(previous_level)
        logger.removeHandler(handler)
        handler.close()

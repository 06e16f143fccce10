"""Log file of a run."""

from __future__ import annotations

import logging
import time
from contextlib import contextmanager
from contextvars import ContextVar
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


_session: ContextVar[object] = ContextVar("session", default=None)
"""The session in whose context a record is made; None outside all sessions."""


@contextmanager
def log_to_file(path: Path, level: str, *, everything: bool = False) -> Iterator[None]:
    """Append the package's log records of `level` and above to a file, with times in UTC, while the block runs.

    Args:
        path: The file.
        level: Name of the level.
        everything: Whether records of other sessions in this process are included.

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
    session = object()
    outer = _session.get()
    if not everything:
        _session.set(session)
        handler.addFilter(lambda _: _session.get() in (session, None))
    logger = logging.getLogger("ictbench")
    previous_level = logger.level
    logger.addHandler(handler)
    logger.setLevel(min(handler.level, previous_level or handler.level))
    try:
        yield
    finally:
        _session.set(outer)
        logger.setLevel(previous_level)
        logger.removeHandler(handler)
        handler.close()

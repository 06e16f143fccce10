"""Temporary folders that are removed at the end, or at the next start if their process is killed."""

from __future__ import annotations

import fcntl
import logging
import os
import shutil
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

PREFIX = "ictbench-tmp-"

log = logging.getLogger(__name__)


class ScratchFolder:
    """A temporary folder with a lock, which the system releases when the process ends, however it ends.

    Creating one removes those of processes that are gone.
    """

    def __init__(self, purpose: str, parent: Path | None = None) -> None:
        """Create the folder.

        Args:
            purpose: Part of its name.
            parent: Folder to create it in; None for the system's folder for temporary files.

        Raises:
            OSError: It cannot be created.
        """
        sweep(parent)
        while True:
            self.path = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{purpose}-", dir=parent))
            self._lock = _lock(self.path)
            # Another process may have taken the new folder for one that is left over.
            if self._lock is not None and self.path.is_dir():
                return

    def remove(self) -> None:
        """Remove the folder and everything in it."""
        shutil.rmtree(self.path, ignore_errors=True)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


@contextmanager
def scratch_folder(purpose: str, parent: Path | None = None) -> Iterator[Path]:
    """Create a temporary folder for the duration of the block; see `ScratchFolder`."""
    folder = ScratchFolder(purpose, parent)
    try:
        yield folder.path
    finally:
        folder.remove()


def sweep(parent: Path | None = None) -> None:
    """Remove the folders of processes that are gone: our own by name, owner and lock."""
    for path in (parent or Path(tempfile.gettempdir())).glob(f"{PREFIX}*"):
        with suppress(OSError):
            if path.lstat().st_uid == os.getuid() and (lock := _lock(path)) is not None:
                log.info("removing %s, which a process that is gone has left", path)
                shutil.rmtree(path, ignore_errors=True)
                os.close(lock)


def _lock(path: Path) -> int | None:
    """Return the descriptor of a locked folder; None if a process has locked it, or if it is gone.

    Raises:
        OSError: It is not a folder, or this file system has no locks.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    except OSError:
        os.close(descriptor)
        raise
    return descriptor

"""Files that an environment computes once and keeps in the user's cache folder."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from ictbench import user_folders


def cache_folder(name: str) -> Path:
    """Return a folder of cached files, below `ICTBENCH_CACHE_DIR` or the user's cache folder.

    Raises:
        ConfigError: The user has no home folder, and neither that variable nor `XDG_CACHE_HOME` is set.
    """
    base = os.environ.get("ICTBENCH_CACHE_DIR")
    return (Path(base) if base else user_folders.cache_folder() / "ictbench") / name


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file in one step, so that crashes and concurrent writers leave no partial file.

    Raises:
        OSError: The file cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise

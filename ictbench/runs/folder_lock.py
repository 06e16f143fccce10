"""Exclusive use of an output folder, and the check that it holds the same work as before."""

from __future__ import annotations

import fcntl
import json
import os
import time
from typing import IO, TYPE_CHECKING, Any

from ictbench.errors import RunFolderError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


LOCK_ATTEMPTS, LOCK_SECONDS = 3, 0.05

WRITTEN_BY = ("schema", "ictbench")
"""Fields of a recorded configuration that say how it was written."""


def lock_folder(folder: Path, identity_file: str, *, kind: str = "run", option: str = "--out") -> IO[str]:
    """Create a folder and lock it for this process until the returned file is closed.

    Args:
        folder: The folder; it may exist if it is empty or holds the identity file.
        identity_file: Name of the file that says what the folder holds.
        kind: What the folder holds, for error messages.
        option: What chooses another folder, for error messages.

    Raises:
        RunFolderError: The folder cannot be written, holds other files, or is in use.
    """
    # A process killed before it wrote the identity file may leave these.
    leftovers = {"lock", f"{identity_file}.part"}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / identity_file).exists():
            others = sorted(path.name for path in folder.iterdir() if path.name not in leftovers)
            if others:
                raise RunFolderError(
                    f"{folder} holds other files ({others[0]}) and is not the folder of a {kind}; "
                    f"choose another {option}"
                )
        lock = open(folder / "lock", "w", encoding="utf-8")  # noqa: SIM115 - held open as the lock
    except OSError as error:
        raise RunFolderError(f"{folder} cannot be written ({error.strerror}); choose another {option}") from error
    try:
        _acquire(lock)
    except OSError as error:
        lock.close()
        raise RunFolderError(
            f"another ictbench is writing to {folder}; wait for it or choose another {option}"
        ) from error
    return lock


def _acquire(lock: IO[str]) -> None:
    """Lock a file; a reader that finds out whether it is locked holds it for an instant."""
    for _ in range(LOCK_ATTEMPTS - 1):
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            time.sleep(LOCK_SECONDS)
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


def is_locked(folder: Path) -> bool:
    """Return whether a process has locked a folder with `lock_folder`."""
    try:
        # The folder may be a stranger's: a link is not followed, and a pipe is not waited for.
        file = os.open(folder / "lock", os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(file)
    return False


def check_identity(
    folder: Path, recorded: Mapping[str, Any], identity: Mapping[str, Any], *, kind: str = "run", option: str = "--out"
) -> None:
    """Check that the recorded configuration of a folder agrees with `identity` in every field of either.

    Raises:
        RunFolderError: A field differs, or only one of them has it.
    """
    here = json.loads(json.dumps(identity))
    there = {name: value for name, value in recorded.items() if name not in WRITTEN_BY}
    for name in (*here, *there):
        if here.get(name) != there.get(name):
            raise RunFolderError(
                f"{folder} holds a {kind} with another configuration: {name} is {_short(there.get(name))} there "
                f"and {_short(here.get(name))} here; choose another {option}, or the same options"
            )


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 80 else text[:77] + "..."

"""Where tests find the official games: `ALFWORLD_DATA`, or the archive that lies beside a developer's checkout."""

from __future__ import annotations

import os
import shutil
import tarfile
import tempfile
from pathlib import Path

import pytest

ARCHIVE = Path(__file__).parents[3] / "shared" / "data" / "alfworld" / "valid.tar.xz"


def folder_of_official_games() -> Path:
    """A folder for `ALFWORLD_DATA` with all validation games; skips the test, saying so, where there is none."""
    named = os.environ.get("ALFWORLD_DATA")
    if named and (Path(named) / "json_2.1.1" / "valid_unseen").is_dir():
        return Path(named)
    if not ARCHIVE.is_file():
        pytest.skip("the official ALFWorld games are absent: ALFWORLD_DATA names no folder with json_2.1.1")
    folder = Path(tempfile.gettempdir()) / f"ictbench-test-alfworld-{ARCHIVE.stat().st_size}"
    if not folder.is_dir():
        unpacking = Path(tempfile.mkdtemp())
        with tarfile.open(ARCHIVE) as archive:
            archive.extractall(unpacking, filter="data")
        try:
            unpacking.rename(folder)
        except OSError:  # another worker was first
            shutil.rmtree(unpacking)
    return folder

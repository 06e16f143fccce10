"""Location of the official games for tests: `ALFWORLD_DATA`, or an archive next to a developer's checkout."""

from __future__ import annotations

import os
import shutil
import tarfile
import tempfile
from pathlib import Path

import pytest

ARCHIVE = Path(__file__).parents[3] / "shared" / "data" / "alfworld" / "valid.tar.xz"


def official_games_folder() -> Path:
    """Return a folder for `ALFWORLD_DATA` with all validation games. Skip the test if there is none."""
    configured = os.environ.get("ALFWORLD_DATA")
    if configured and (Path(configured) / "json_2.1.1" / "valid_unseen").is_dir():
        return Path(configured)
    if not ARCHIVE.is_file():
        pytest.skip("the official ALFWorld games are missing: ALFWORLD_DATA is not a folder with json_2.1.1")
    folder = Path(tempfile.gettempdir()) / f"ictbench-test-alfworld-{ARCHIVE.stat().st_size}"
    if not folder.is_dir():
        unpacking = Path(tempfile.mkdtemp())
        with tarfile.open(ARCHIVE) as archive:
            archive.extractall(unpacking, filter="data")
        try:
            unpacking.rename(folder)
        except OSError:  # another worker unpacked it first
            shutil.rmtree(unpacking)
    return folder

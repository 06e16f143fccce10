"""A small real run with repeats: the random actor's episodes depend on their sampling seeds."""

from __future__ import annotations

import atexit
import functools
import shutil
import tempfile
from pathlib import Path
from typing import Any

from small_run import SUITE

import ictbench

REPEATS = 3
OPTIONS: dict[str, Any] = {
    "suite": SUITE.name,
    "families": ["eat", "read"],
    "actor": "random",
    "executor": "inline",
    "turns": 2,
    "batch_size": 2,
    "loops": 3,
    "selection_size": 3,
    "test_size": 5,
    "repeats": REPEATS,
}


@functools.cache
def repeated_run() -> ictbench.Run:
    """Return the run, played once per test process."""
    folder = Path(tempfile.mkdtemp(prefix="ictbench-repeated-run-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return ictbench.run(**OPTIONS, out=folder / "run")

"""A small real run of a memory learner with the scripted actor."""

from __future__ import annotations

import atexit
import functools
import shutil
import tempfile
from pathlib import Path
from typing import Any

from recalled_rules import RECALLED_RULES
from small_run import SUITE

import ictbench

OPTIONS: dict[str, Any] = {
    "suite": SUITE.name,
    "families": ["eat", "read"],
    "actor": "rules",
    "reflector": RECALLED_RULES,
    "executor": "inline",
    "turns": 3,
    "batch_size": 2,
    "loops": 2,
    "selection_size": 3,
    "test_size": 4,
}


@functools.cache
def memory_run() -> ictbench.Run:
    """Return the run, played once per test process."""
    folder = Path(tempfile.mkdtemp(prefix="ictbench-memory-run-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return ictbench.run(**OPTIONS, out=folder / "run")

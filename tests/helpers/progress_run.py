"""A small real run of a world that measures progress: BabyAI missions of one door or two."""

from __future__ import annotations

import atexit
import functools
import shutil
import tempfile
from pathlib import Path
from typing import Any

import ictbench

SUITE = ictbench.load_suite("babyai-v1")
OPTIONS: dict[str, Any] = {
    "suite": SUITE.name,
    "families": ["two-doors"],
    "executor": "inline",
    "turns": 1,
    "batch_size": 2,
    "loops": 3,
    "selection_size": 3,
    "test_size": 6,
    "repeats": 2,
    "max_steps": 40,
}


@functools.cache
def progress_run() -> ictbench.Run:
    """Return the run of the random actor, played once per test process."""
    folder = Path(tempfile.mkdtemp(prefix="ictbench-progress-run-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return ictbench.run(**OPTIONS, actor="random", reflector="rules", out=folder / "run")

"""A small campaign of the scripted pair, and what its cells are."""

from __future__ import annotations

import atexit
import functools
import shutil
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any

from ictbench import Reflection, Reflector
from ictbench.campaigns import Campaign, campaign
from ictbench.runs.journal import Journal
from ictbench.runs.run_folder import RunFolder

SIZES: dict[str, Any] = {"turns": 2, "batch_size": 2, "loops": 3, "selection_size": 3, "test_size": 4}


class Broken(Reflector):
    """Raises at the second turn."""

    async def reflect(self, prompt: str, batch: Any, state: Any, context: Any) -> Reflection:
        if context.turn == 2:
            raise ZeroDivisionError("a bug")
        return Reflection(prompt="Walk around.")


def small_matrix(**sections: Any) -> dict[str, Any]:
    """Return the content of a file: three reflectors on two families."""
    return {
        "name": "small",
        "options": {"suite": "minihack-v1", "actor": "rules", "executor": "inline", **SIZES},
        "matrix": {"reflector": ["none", "rules", "blind:rules"], "families": ["read", "zap"]},
        **sections,
    }


@functools.cache
def small_campaign() -> Campaign:
    """Return the finished campaign. Its folder is shared: copy it before changing it."""
    folder = Path(tempfile.mkdtemp(prefix="ictbench-small-campaign-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return campaign(small_matrix(), out=folder / "small")


def journal_keys(folder: Path) -> set[str]:
    """Return the keys of the episodes that the journal of a cell holds."""
    with closing(Journal(RunFolder(folder).journal)) as journal:
        return {*journal.keys()}

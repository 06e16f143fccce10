"""A learner with a memory is run again like any other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from memory_run import memory_run

import ictbench
from ictbench.audit.rerun import rerun
from ictbench.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path


def test_a_learner_with_a_memory_is_run_again_with_memories_of_its_own(tmp_path: Path) -> None:
    verification = rerun(
        memory_run().folder, folder=tmp_path / "again", loops=3, margin=0.9, trust_code=True, executor="inline"
    )
    assert verification.reran is not None
    again = ictbench.load_run(tmp_path / "again")
    assert again.result.division == "memory"
    assert again.result.added_bytes
    assert ictbench.verify(again, executor="inline").passed


def test_its_class_is_imported_only_with_trust_code(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="would import 'recalled_rules:RecalledRules'"):
        rerun(memory_run().folder, folder=tmp_path / "again", loops=3, executor="inline")

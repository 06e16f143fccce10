from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ictbench.errors import RunFolderError
from ictbench.models.checkpoint_card import CARD_FILE
from ictbench.train.training_folder import IDENTITY_FILE, TrainingFolder

if TYPE_CHECKING:
    from pathlib import Path


def checkpoint(folder: TrainingFolder, step: int, *, complete: bool = True) -> None:
    folder.checkpoint(step).mkdir(parents=True)
    (folder.checkpoint(step) / "model.safetensors").touch()
    if complete:
        (folder.checkpoint(step) / CARD_FILE).touch()


def test_the_last_checkpoint_is_the_newest_with_a_card(tmp_path: Path) -> None:
    folder = TrainingFolder(tmp_path)
    assert folder.last_checkpoint is None
    for step in (9, 10):
        checkpoint(folder, step)
    checkpoint(folder, 11, complete=False)
    assert folder.last_checkpoint == tmp_path / "checkpoint-10"
    (tmp_path / "checkpoint-12-copy").mkdir()
    folder.remove_incomplete_checkpoints()
    assert {path.name for path in tmp_path.glob("*")} == {"checkpoint-10", "checkpoint-9", "checkpoint-12-copy"}
    assert folder.last_checkpoint == tmp_path / "checkpoint-10"


def test_only_the_same_training_can_be_resumed(tmp_path: Path) -> None:
    folder = TrainingFolder(tmp_path / "t")
    for _ in range(2):
        with folder.locked({"seed": 1, "states": ("a",)}):
            pass
    with (
        pytest.raises(RunFolderError, match="another configuration: seed is 1 there and 2 here; choose another out"),
        folder.locked({"seed": 2}),
    ):
        pass


def test_two_processes_cannot_write_at_once(tmp_path: Path) -> None:
    folder = TrainingFolder(tmp_path)
    with folder.locked({}), pytest.raises(RunFolderError, match="another ictbench is writing"), folder.locked({}):
        pass


def test_foreign_files_and_a_damaged_identity_are_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(RunFolderError, match=r"thesis\.tex.* is not the folder of a training; choose another out"):
        TrainingFolder(tmp_path).locked({}).__enter__()
    (tmp_path / IDENTITY_FILE).write_text("{", encoding="utf-8")
    with pytest.raises(RunFolderError, match="cannot be read"):
        TrainingFolder(tmp_path).locked({}).__enter__()
    with pytest.raises(RunFolderError, match="cannot be written"):
        TrainingFolder(tmp_path / IDENTITY_FILE).locked({}).__enter__()

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ictbench.errors import ConfigError, RunFolderError
from ictbench.models.checkpoint_card import CARD_FILE
from ictbench.train.training_folder import IDENTITY, TrainingFolder

if TYPE_CHECKING:
    from pathlib import Path


def checkpoint(folder: TrainingFolder, step: int, *, whole: bool = True) -> None:
    folder.checkpoint(step).mkdir(parents=True)
    (folder.checkpoint(step) / "model.safetensors").touch()
    if whole:
        (folder.checkpoint(step) / CARD_FILE).touch()


def test_the_last_good_checkpoint_is_the_newest_that_has_its_card(tmp_path: Path) -> None:
    folder = TrainingFolder(tmp_path)
    assert folder.last is None
    for step in (9, 10):
        checkpoint(folder, step)
    checkpoint(folder, 11, whole=False)
    assert folder.last == tmp_path / "checkpoint-10"
    (tmp_path / "checkpoint-12-copy").mkdir()
    folder.discard_unfinished()
    assert {path.name for path in tmp_path.glob("*")} == {"checkpoint-10", "checkpoint-9", "checkpoint-12-copy"}
    assert folder.last == tmp_path / "checkpoint-10"


def test_the_same_training_goes_on_and_no_other(tmp_path: Path) -> None:
    folder = TrainingFolder(tmp_path / "t")
    for _ in range(2):
        with folder.claimed({"seed": 1, "states": ("a",)}):
            pass
    with (
        pytest.raises(RunFolderError, match="another training: seed is 1 there and 2 here"),
        folder.claimed({"seed": 2}),
    ):
        pass


def test_two_cannot_write_at_once(tmp_path: Path) -> None:
    folder = TrainingFolder(tmp_path)
    with folder.claimed({}), pytest.raises(RunFolderError, match="another training is writing"), folder.claimed({}):
        pass


def test_strangers_files_and_a_damaged_identity_are_told(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(RunFolderError, match=r"holds thesis\.tex and is no training's folder"):
        TrainingFolder(tmp_path).claimed({}).__enter__()
    (tmp_path / IDENTITY).write_text("{", encoding="utf-8")
    with pytest.raises(ConfigError, match="cannot be read"):
        TrainingFolder(tmp_path).claimed({}).__enter__()
    with pytest.raises(RunFolderError, match="cannot be written"):
        TrainingFolder(tmp_path / IDENTITY).claimed({}).__enter__()

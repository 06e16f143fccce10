"""Output folder of a training: its identity, its checkpoints and its lock."""

from __future__ import annotations

import json
import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ictbench.errors import RunFolderError, file_problem
from ictbench.models.checkpoint_card import CARD_FILE
from ictbench.runs.folder_lock import check_identity, lock_folder
from ictbench.runs.run_folder import write_atomically

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

IDENTITY_FILE = "training.json"


@dataclass(frozen=True, slots=True)
class TrainingFolder:
    """Paths of a training's files. A checkpoint is complete when it has its card, which is written last."""

    path: Path

    def checkpoint(self, step: int) -> Path:
        """Return the folder of the checkpoint of a step."""
        return self.path / f"checkpoint-{step}"

    @property
    def last_step(self) -> int | None:
        """Step of the last complete checkpoint."""
        return max((step for step, path in self._checkpoints() if (path / CARD_FILE).exists()), default=None)

    @property
    def last_checkpoint(self) -> Path | None:
        """Folder of the last complete checkpoint."""
        return None if self.last_step is None else self.checkpoint(self.last_step)

    def remove_incomplete_checkpoints(self) -> None:
        """Delete checkpoints without a card."""
        for _, path in self._checkpoints():
            if not (path / CARD_FILE).exists():
                shutil.rmtree(path)

    def _checkpoints(self) -> list[tuple[int, Path]]:
        """Return step and folder of each checkpoint; folders with other names, e.g. copies, are not ours."""
        folders = [(path.name.partition("-")[2], path) for path in self.path.glob("checkpoint-*")]
        return [(int(step), path) for step, path in folders if step.isdecimal()]

    @contextmanager
    def locked(self, identity: dict[str, Any]) -> Iterator[None]:
        """Create the folder, or check that it holds the same training, and lock it against other processes.

        Raises:
            RunFolderError: The folder cannot be written, holds something else or another training, or is in use.
        """
        with lock_folder(self.path, IDENTITY_FILE, kind="training", option="out"):
            file = self.path / IDENTITY_FILE
            if file.exists():
                check_identity(self.path, read_identity(file), identity, kind="training", option="out")
            else:
                write_atomically(file, json.dumps(identity, indent=2, ensure_ascii=False) + "\n")
            yield


def read_identity(file: Path) -> dict[str, Any]:
    """Return the recorded configuration of a folder.

    Raises:
        RunFolderError: The file cannot be read or was not written by ictbench.
    """
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RunFolderError(f"{file} cannot be read: {file_problem(error)}") from error
    if not isinstance(content, dict):
        raise RunFolderError(f"{file} was not written by ictbench; choose another out")
    return content

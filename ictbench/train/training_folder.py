"""A training's folder: its identity, its checkpoints, and who may write there."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ictbench.errors import ConfigError, RunFolderError
from ictbench.models.checkpoint_card import CARD_FILE
from ictbench.runs.run_folder import write_atomically

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

IDENTITY = "training.json"


@dataclass(frozen=True, slots=True)
class TrainingFolder:
    """Paths of a training's files, beside the logs in `runs/`."""

    path: Path

    def checkpoint(self, step: int) -> Path:
        """Where the checkpoint of a step lies."""
        return self.path / f"checkpoint-{step}"

    @property
    def last_step(self) -> int | None:
        """Of the last good checkpoint: its card is written last, and older ones are removed before it."""
        return max((step for step, path in self._checkpoints() if (path / CARD_FILE).exists()), default=None)

    @property
    def last(self) -> Path | None:
        """The last good checkpoint."""
        return None if self.last_step is None else self.checkpoint(self.last_step)

    def discard_unfinished(self) -> None:
        """Remove checkpoints that were not written to their end."""
        for _, path in self._checkpoints():
            if not (path / CARD_FILE).exists():
                shutil.rmtree(path)

    def _checkpoints(self) -> list[tuple[int, Path]]:
        """Those that a training makes; a folder beside them, e.g. a copy, is somebody else's."""
        found = [(path.name.partition("-")[2], path) for path in self.path.glob("checkpoint-*")]
        return [(int(step), path) for step, path in found if step.isdecimal()]

    @contextmanager
    def claimed(self, identity: dict[str, Any]) -> Iterator[None]:
        """Create the folder, or check that it holds the same training; nobody else may write there meanwhile.

        Raises:
            RunFolderError: it cannot be written, holds something else or another training, or is in use.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            lock = open(self.path / "lock", "w", encoding="utf-8")  # noqa: SIM115 - closed below
        except OSError as error:
            raise RunFolderError(f"{self.path} cannot be written ({error.strerror}); choose another out") from error
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise RunFolderError(f"another training is writing to {self.path}; choose another out") from error
            self._check_or_write(identity)
            yield

    def _check_or_write(self, identity: dict[str, Any]) -> None:
        file = self.path / IDENTITY
        if not file.exists():
            if strangers := sorted(set(os.listdir(self.path)) - {"lock", f"{IDENTITY}.part"}):
                raise RunFolderError(
                    f"{self.path} holds {strangers[0]} and is no training's folder; choose another out"
                )
            write_atomically(file, json.dumps(identity, indent=2, ensure_ascii=False) + "\n")
            return
        try:
            recorded = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ConfigError(f"{file} cannot be read: {error}") from error
        for name, value in json.loads(json.dumps(identity)).items():
            if recorded.get(name) != value:
                raise RunFolderError(
                    f"{self.path} holds another training: {name} is {recorded.get(name)!r} there and {value!r} here; "
                    "choose another out, or the same settings"
                )

"""A run's folder: where everything about it lies, and who may write there."""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import IO, TYPE_CHECKING, Any

from ictbench._version import __version__
from ictbench.errors import RunFolderError
from ictbench.runs.folder_lock import check_identity, lock_folder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

RUN_SCHEMA = "ictbench.run/1"


@dataclass(frozen=True, slots=True)
class RunFolder:
    """Paths of a run's files."""

    path: Path

    @property
    def config(self) -> Path:
        """The whole configuration, no secrets."""
        return self.path / "run.json"

    @property
    def journal(self) -> Path:
        """Every finished episode and reflection."""
        return self.path / "journal.sqlite"

    @property
    def result(self) -> Path:
        """The result, schema `ictbench.result/1`."""
        return self.path / "result.json"

    @property
    def episodes(self) -> Path:
        """One line an episode: what is needed to play it again without a model."""
        return self.path / "episodes.jsonl.gz"

    @property
    def log(self) -> Path:
        """What happened, line by line, over all sittings."""
        return self.path / "run.log"

    @property
    def times(self) -> Path:
        """When each episode started and how long it took."""
        return self.path / "times.csv"

    @property
    def tables(self) -> Path:
        """Tables as CSV and Markdown."""
        return self.path / "tables"

    def claim(self, identity: dict[str, Any]) -> IO[str]:
        """Create the folder, or check that it holds the same run; hold its lock until the returned file is closed.

        Raises:
            RunFolderError: The folder cannot be written, holds something else or another run, or is in use.
        """
        lock = lock_folder(self.path, self.config.name)
        try:
            if self.config.exists():
                check_identity(self.path, self.read_config(), identity)
            else:
                config = {"schema": RUN_SCHEMA, "ictbench": __version__, **identity}
                write_atomically(self.config, json.dumps(config, indent=2, ensure_ascii=False) + "\n")
        except BaseException:
            lock.close()
            raise
        return lock

    def read_config(self) -> dict[str, Any]:
        """The configuration of an existing run.

        Raises:
            RunFolderError: there is none, or it cannot be read.
        """
        try:
            config = json.loads(self.config.read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise RunFolderError(f"{self.path} is no run's folder: it has no {self.config.name}") from error
        except (OSError, ValueError) as error:
            raise RunFolderError(f"{self.config} cannot be read: {error}") from error
        if not isinstance(config, dict) or config.get("schema") != RUN_SCHEMA:
            raise RunFolderError(f"{self.config} is not of schema {RUN_SCHEMA}; it was not written by this version")
        return config


def new_run_id(suite: str, reflector: str) -> str:
    """A folder name that says when, which suite and which reflector."""
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    plain = "".join(c if c.isalnum() or c in "-._" else "-" for c in reflector)[-40:]
    return f"{stamp}-{suite}-{plain}"


def write_atomically(path: Path, content: str | bytes) -> None:
    """Replace a file in one step, so that a reader or a crash never meets half of it."""
    with written_atomically(path) as file:
        file.write(content.encode() if isinstance(content, str) else content)


@contextmanager
def written_atomically(path: Path) -> Iterator[IO[bytes]]:
    """A file to write piece by piece, which replaces `path` in one step at the end."""
    temporary = path.with_name(path.name + ".part")
    with open(temporary, "wb") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)

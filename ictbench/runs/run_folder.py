"""Folder of a run: paths, ownership, atomic writes."""

from __future__ import annotations

import difflib
import json
import os
import secrets
import shlex
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from ictbench._version import __version__
from ictbench.errors import RunFolderError, SubmissionError
from ictbench.runs.folder_lock import check_identity, is_locked, lock_folder
from ictbench.safe_read import parse_json, read_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator


RUN_SCHEMA = "ictbench.run/2"

MAX_CONFIG_BYTES, MAX_CONFIG_VALUES = 20_000_000, 500_000
"""Maximum size of a configuration, and maximum commas in it: instructions and prompts may be long."""


@dataclass(frozen=True, slots=True)
class RunFolder:
    """Paths of the files of a run."""

    path: Path

    @property
    def config(self) -> Path:
        """Full configuration, without secrets."""
        return self.path / "run.json"

    @property
    def journal(self) -> Path:
        """Finished episodes and reflections."""
        return self.path / "journal.sqlite"

    @property
    def result(self) -> Path:
        """Result, schema `ictbench.result/2`."""
        return self.path / "result.json"

    @property
    def episodes(self) -> Path:
        """Episode records, one per line: what a replay without a model needs."""
        return self.path / "episodes.jsonl.gz"

    @property
    def memories(self) -> Path:
        """Memories of a learner of the division `memory`, one per line."""
        return self.path / "memories.jsonl.gz"

    @property
    def log(self) -> Path:
        """Log of all sessions."""
        return self.path / "run.log"

    @property
    def times(self) -> Path:
        """Start and duration of each episode."""
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
                self.rewrite(identity)
        except BaseException:
            lock.close()
            raise
        return lock

    def rewrite(self, identity: dict[str, Any]) -> None:
        """Replace the configuration of a run that has no episodes yet."""
        config = {"schema": RUN_SCHEMA, "ictbench": __version__, **identity}
        write_atomically(self.config, json.dumps(config, indent=2, ensure_ascii=False) + "\n")

    def read_config(self) -> dict[str, Any]:
        """Return the configuration of an existing run.

        Raises:
            RunFolderError: The folder has none, or it cannot be read.
        """
        if not os.path.lexists(self.path):
            raise RunFolderError(missing_path(self.path, "the folder of a run"))
        if not os.path.lexists(self.config):
            raise RunFolderError(
                f"{self.path} is not the folder of a run: it has no {self.config.name}{_campaign_hint(self.path)}"
            )
        try:
            config = parse_json(read_bytes(self.config, MAX_CONFIG_BYTES), str(self.config), MAX_CONFIG_VALUES)
        except SubmissionError as error:
            raise RunFolderError(f"{error}; put back a copy of the file, or start again in a new folder") from error
        if not isinstance(config, dict) or config.get("schema") != RUN_SCHEMA:
            raise RunFolderError(f"{self.config} is not of schema {RUN_SCHEMA}: another version of ictbench wrote it")
        return config


def _campaign_hint(path: Path) -> str:
    """Return where a campaign's folder has what a run's folder has; empty for other folders."""
    if not (path / "campaign.json").is_file():
        return ""
    return (
        f"; it is the folder of a campaign: its runs are the folders in {path / 'cells'}, its result is "
        f"{path / 'report.md'}, and its verdicts of learning are {path / 'learned.json'}"
    )


def new_run_id(suite: str, reflector: str) -> str:
    """Return a folder name of the time, the suite, the reflector and four random digits.

    The digits keep runs apart that start in the same second.
    """
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    plain = "".join(c if c.isalnum() or c in "-._" else "-" for c in reflector)[-40:]
    return f"{stamp}-{suite}-{plain}-{secrets.token_hex(2)}"


def no_result(path: Path) -> str:
    """Return the message about a run that has no result yet: whether it is still running, or can be continued."""
    if is_locked(path):
        return (
            f"{path} is still running and has no result yet; wait for it to end (`ictbench runs` shows how far it is)"
        )
    return f"{path} has no result yet; continue its run with the same options and --out {shlex.quote(str(path))}"


def missing_path(path: Path, expected: str, marks: tuple[str, ...] = ("run.json",), *, files: bool = False) -> str:
    """Return the message about a path at which nothing lies: with the likely one, if there is one.

    Args:
        path: The path.
        expected: What could be named instead, e.g. "the folder of a run".
        marks: Files of which a folder that could be named has one.
        files: Whether the file of a result could be named, too.
    """
    nearby = {
        one.name: one
        for folder in (Path("runs"), path.parent)
        for one in _entries(folder)
        if any((one / mark).exists() for mark in marks) or (files and one.suffix == ".json")
    }
    close = difflib.get_close_matches(path.name, nearby, n=1)
    return f"{path} does not exist; {f'did you mean {nearby[close[0]]}?' if close else f'name {expected}'}"


def _entries(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []


def write_atomically(path: Path, content: str | bytes) -> None:
    """Replace a file in one step, so that neither a reader nor a crash ever sees half of it."""
    with atomic_writer(path) as file:
        file.write(content.encode() if isinstance(content, str) else content)


@contextmanager
def atomic_writer(path: Path) -> Iterator[IO[bytes]]:
    """Open a temporary file that replaces `path` in one step at the end of the block."""
    temporary = path.with_name(path.name + ".part")
    with open(temporary, "wb") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)

"""Cache of what was found in submissions, so that a board pays only for the entries that are new.

A finding is stored under what was read and the code that read it: another version of ictbench, or of a package that it
computes with, finds nothing. A file that is damaged, or was stored for something else, counts as missing. The cache is
a folder of the user that nobody else can write, and never lies in the checkout of a board, where a pull request could.
"""

from __future__ import annotations

import hashlib
import logging
import os
import platform
import re
import shutil
import stat
import tempfile
import time
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from pydantic import ValidationError

from ictbench import _version
from ictbench.errors import ConfigError, SubmissionError, UsageError
from ictbench.records import Record, digest_of
from ictbench.safe_read import read_bytes
from ictbench.suites import shipped_suites
from ictbench.user_folders import cache_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ictbench.submissions.submission_schema import Submission

R = TypeVar("R", bound=Record)

COMPUTES_WITH = ("numpy", "pydantic", "scipy")
"""Packages on which findings depend."""

CODE_AND_DATA = {".py", ".json", ".yaml", ".csv"}
"""Endings of the files of ictbench and its suites on which findings depend."""

OWN_FOLDER = re.compile("findings-[0-9a-f]{32}")
"""Names of the cache's folders, one for each version of the code. The folder around them may hold anything else."""

MAX_FINDING_BYTES = 200_000_000
UNUSED_DAYS = 30
"""Days after which the findings of another version of the code are removed."""

log = logging.getLogger(__name__)


class FindingCache:
    """Findings in a folder; without a folder, nothing is remembered."""

    def __init__(self, folder: Path | None) -> None:
        """Open a cache, and remove what other versions of the code have not used for a month.

        Raises:
            UsageError: Others can write the folder.
        """
        self._folder = None
        if folder is None:
            return
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _check_owner(folder)
            _remove_unused(folder)
            self._folder = folder / f"findings-{code_digest()[:32]}"
            self._folder.mkdir(mode=0o700, exist_ok=True)
            os.utime(self._folder)
        except OSError as error:
            log.info("no cache in %s: %s", folder, error.strerror)

    def get(self, kind: type[R], *key: str) -> R | None:
        """Return a finding; None if there is none, or if its file is damaged or holds another finding."""
        if self._folder is None:
            return None
        with suppress(SubmissionError, ValidationError, ValueError):
            digest, stored_key, finding = read_bytes(self._path(kind, key), MAX_FINDING_BYTES).split(b"\n", 2)
            expected = _key_line(kind, key)
            if stored_key == expected and digest == _digest(expected, finding):
                return kind.model_validate_json(finding, strict=True)
        return None

    def has(self, kind: type[Record], *key: str) -> bool:
        """Return whether there is a file for a finding, which may be damaged."""
        return self._folder is not None and self._path(kind, key).is_file()

    def put(self, finding: Record, *key: str) -> None:
        """Store a finding atomically. A cache that cannot be written is not an error."""
        if self._folder is None:
            return
        path, line = self._path(type(finding), key), _key_line(type(finding), key)
        content = finding.model_dump_json(by_alias=True).encode()
        part = None
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".part-", delete=False) as file:
                part = Path(file.name)
                file.write(b"\n".join((_digest(line, content), line, content)))
            os.replace(part, path)
        except OSError as error:
            log.info("%s cannot be written: %s", path, error.strerror)
            if part is not None:
                part.unlink(missing_ok=True)

    def _path(self, kind: type[Record], key: tuple[str, ...]) -> Path:
        assert self._folder is not None
        name = digest_of([kind.__name__, *key], 40)
        return self._folder / kind.__name__ / name[:2] / name


NO_CACHE = FindingCache(None)
"""Remembers nothing."""


def open_cache(folder: Path | None, leaderboards: Path) -> FindingCache:
    """Return the cache in a folder, by default in the user's cache folder.

    Raises:
        UsageError: The folder lies among the boards or in their git checkout, or others can write it.
    """
    if folder is None:
        try:
            folder = cache_folder() / "ictbench" / "boards"
        except ConfigError as error:
            log.info("no cache: %s", error)
            return NO_CACHE
    for place in _places_of(leaderboards.resolve()):
        if folder.resolve().is_relative_to(place):
            raise UsageError(
                f"the cache {folder} lies in {place}, where a pull request could write it; name another folder: --cache"
            )
    return FindingCache(folder)


def submission_key(submission: Submission) -> str:
    """Return a digest of a submission's metadata, with the digests of its files and the place of its evidence."""
    return digest_of(submission.model_dump(mode="json", by_alias=True))


@cache
def code_digest() -> str:
    """Return a digest of ictbench's code, tables and suites, and of the versions of what it computes with."""
    folders = [Path(_version.__file__).parent, *sorted({path.parent for path in shipped_suites().values()})]
    code = [[path.relative_to(folder).as_posix(), _file_digest(path)] for folder in folders for path in _files(folder)]
    return digest_of([code, platform.python_version(), [[name, version(name)] for name in COMPUTES_WITH]])


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix in CODE_AND_DATA and path.is_file())


def _file_digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _places_of(leaderboards: Path) -> Iterator[Path]:
    """Yield the folder of the boards, and the checkout that holds it."""
    yield leaderboards
    checkouts = (folder for folder in (leaderboards, *leaderboards.parents) if (folder / ".git").exists())
    if checkout := next(checkouts, None):
        yield checkout


def _check_owner(folder: Path) -> None:
    status = folder.stat()
    if status.st_uid != os.getuid() or status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise UsageError(
            f"the cache {folder} can be written by others, who could change what was found; "
            "run chmod go-w on it, or name a folder of your own: --cache"
        )


def _remove_unused(folder: Path) -> None:
    for other in folder.iterdir():
        if not OWN_FOLDER.fullmatch(other.name) or other.is_symlink() or not other.is_dir():
            continue
        if time.time() - other.stat().st_mtime > UNUSED_DAYS * 86_400:
            shutil.rmtree(other, ignore_errors=True)


def _key_line(kind: type[Record], key: tuple[str, ...]) -> bytes:
    return digest_of([code_digest(), kind.__name__, *key]).encode()


def _digest(line: bytes, finding: bytes) -> bytes:
    return hashlib.sha256(b"%b\n%b" % (line, finding)).hexdigest().encode()

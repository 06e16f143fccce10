"""Reading and writing of evidence in a board's folder, on a web server, on S3 and in data sets of the Hugging Face Hub.

A file is named for its SHA-256, and read up to the size that the submission states. Nothing parses it before its digest
is checked.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ictbench.errors import IctbenchError, MissingExtraError, SubmissionError, UsageError
from ictbench.runs.run_folder import write_atomically
from ictbench.safe_read import read_bytes
from ictbench.submissions import evidence_cache
from ictbench.submissions.evidence_location import BOARD, WEB, EvidenceFile, EvidenceLocation, read_stores
from ictbench.submissions.web_file import download

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ictbench.submissions.layout import BoardFolder

EXTRAS = {"hf": "hub", "s3": "s3"}
"""Extras with the packages that reach a store, by scheme."""

ANONYMOUS: dict[str, dict[str, Any]] = {"hf": {"token": False}, "s3": {"anon": True}}
"""Options with which a store is read: a submission must not make anybody read their own private data."""

OPENING: dict[str, dict[str, Any]] = {"hf": {"block_size": 0}}
"""Options with which a file is opened, so that it is read as a stream."""


def fetch(
    location: EvidenceLocation, name: EvidenceFile, digest: str, board: BoardFolder, *, cache: bool = True
) -> bytes:
    """Return a file of evidence from the user's cache, or from its store.

    Args:
        location: Where the evidence lies, as the submission states it.
        name: The file.
        digest: Its SHA-256 in the metadata.
        board: The board, whose `evidence.yaml` says which stores may be read.
        cache: False reads the store even if the cache holds the file.

    Raises:
        SubmissionError: The board does not allow the store, or the store does not hold the file that was submitted.
        MissingExtraError: The package that reaches the store is not installed.
    """
    size = location.sizes[name]
    if location.store == BOARD:
        place = str(board.evidence / file_name(digest))
        return _checked(read_bytes(Path(place), size), place, size, digest)
    stores = read_stores(board)
    if problem := stores.problem(location.store):
        raise SubmissionError(problem)
    if cache and (kept := evidence_cache.read(digest, size)) is not None:
        return kept
    place = f"{location.store.rstrip('/')}/{file_name(digest)}"
    try:
        content = _read(place, size, private=stores.private_addresses)
    except UsageError:
        raise
    except Exception as error:  # each package raises exceptions of its own
        reason = str(error) if isinstance(error, IctbenchError) else f"{type(error).__name__}: {error}"
        raise SubmissionError(f"{place} cannot be read: {' '.join(reason.split())[:300]}") from error
    evidence_cache.write(digest, _checked(content, place, size, digest))
    return content


def store_files(store: str, files: Iterable[bytes], board: BoardFolder) -> None:
    """Write files to the board's folder or to a store, with the user's own credentials. Web servers are left alone.

    Raises:
        SubmissionError: The store does not take them.
        MissingExtraError: The package that reaches the store is not installed.
    """
    named = {file_name(hashlib.sha256(content).hexdigest()): content for content in files}
    if store == BOARD:
        write_files(board.evidence, named)
    elif (scheme := _scheme(store)) not in WEB:
        try:
            system = _file_system(scheme)
            for name, content in named.items():
                system.pipe_file(f"{store.rstrip('/')}/{name}", content)
        except UsageError:
            raise
        except Exception as error:  # each package raises exceptions of its own
            reason = " ".join(f"{type(error).__name__}: {error}".split())
            raise SubmissionError(f"{store} does not take the evidence: {reason[:300]}") from error


def write_files(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write files into a folder, each of them whole or not at all.

    Raises:
        SubmissionError: The folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            write_atomically(folder / name, content)
    except OSError as error:
        raise SubmissionError(f"{folder} cannot be written: {error.strerror}") from error


def file_name(digest: str) -> str:
    """Return the name of a file in a store."""
    return f"{digest}.jsonl.gz"


def _read(place: str, size: int, *, private: bool) -> bytes:
    """Return at most `size` + 1 bytes of a file."""
    scheme = _scheme(place)
    if scheme in WEB:
        return download(place, size, private=private)
    with _file_system(scheme, **ANONYMOUS.get(scheme, {})).open(place, "rb", **OPENING.get(scheme, {})) as file:
        content = b""
        while len(content) <= size and (piece := file.read(size + 1 - len(content))):
            content += piece
    return content


def _checked(content: bytes, place: str, size: int, digest: str) -> bytes:
    """Return the content of a file after a check of its size and digest."""
    if len(content) != size:
        held = f"{len(content):,}" if len(content) < size else f"more than {size:,}"
        raise SubmissionError(f"{place} has {held} bytes, and submission.json says {size:,}")
    if (found := hashlib.sha256(content).hexdigest()) != digest:
        raise SubmissionError(f"{place} is not what was submitted: its SHA-256 is {found}")
    return content


def _scheme(address: str) -> str:
    return address.partition("://")[0]


def _file_system(scheme: str, **options: Any) -> Any:
    try:
        import fsspec

        return fsspec.filesystem(scheme, skip_instance_cache=True, **options)
    except ImportError as error:
        raise MissingExtraError(f"evidence at {scheme}://…", EXTRAS.get(scheme, scheme), str(error)) from error

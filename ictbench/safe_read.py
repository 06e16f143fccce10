"""Reading of untrusted files in bounded time and memory.

Links are not followed, and nothing is unpacked or parsed beyond the limits of a submission. A refusal names the file,
the place, the value and the remedy.
"""

from __future__ import annotations

import json
import os
import re
import stat
import zlib
from collections import Counter
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

from ictbench.errors import SubmissionError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from pathlib import Path

    from ictbench.errors import UsageError

MAX_DEPTH = 24
"""Maximum nesting of lists and objects; a result has 7 levels."""

MAX_NUMBER = 10**15
"""Maximum absolute value of a number. Seeds have 31 bits, and a trillion tokens have 13 digits. Sums of all numbers
of a submission are finite, and a browser reads each whole number exactly."""

MAX_DIGITS = 40
"""Maximum characters of a number."""

GZIP_MAGIC = b"\x1f\x8b"
"""First bytes of a gzip file. The fourth byte says which optional fields its header has, which hold any data."""

CHUNK = 1 << 16
MIN_RATIO_CHECKED = 1_000_000
"""Unpacked bytes from which the compression ratio is checked."""

STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
"""Possessive, with an optional end, so that it takes linear time on any input."""

NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


class SizeLimits(NamedTuple):
    """Limits on a compressed file of JSON lines."""

    unpacked: int
    """Maximum unpacked bytes."""
    ratio: int
    """Maximum unpacked bytes per packed byte."""
    lines: int
    line: int
    """Maximum bytes of one line."""
    values: int
    """Maximum commas outside of strings in one line."""


def list_folder(path: Path, most: int) -> list[str]:
    """Return the sorted names of a folder's entries.

    Raises:
        SubmissionError: The path is not a folder, or a link to one, or it holds more than `most` files.
    """
    try:
        if not stat.S_ISDIR(path.lstat().st_mode):
            raise SubmissionError(f"{path} is not a folder but {_kind(path)}; put a folder there")
        with os.scandir(path) as entries:
            names = [entry.name for entry in islice(entries, most + 1)]
    except OSError as error:
        raise SubmissionError(f"{path} cannot be read: {error.strerror}") from error
    if len(names) > most:
        raise SubmissionError(f"{path} holds more than {most} files; remove those that do not belong there")
    return sorted(names)


def check_names(path: Path, names: Collection[str]) -> Iterator[str]:
    """Yield what is wrong with the names of a folder's files, which must be exactly `names`."""
    present = list_folder(path, 4 * len(names))
    for name in sorted(set(names) - set(present)):
        yield f"{path} lacks {name}; `ictbench submit` writes it"
    for name in sorted(set(present) - set(names)):
        yield f"{path} holds {name!a}, which is not part of a submission; remove it"


def read_bytes(path: Path, most: int) -> bytes:
    """Return the content of a regular file of at most `most` bytes.

    Raises:
        SubmissionError: The path is a link, a device or a folder, or the file is larger or cannot be read.
    """
    with _open_regular(path) as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise SubmissionError(f"{path} is larger than the maximum of {most:,} bytes")
    return content


def _open_regular(path: Path) -> BinaryIO:
    try:
        # Opening a pipe could block forever, and a link may lead anywhere.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise SubmissionError(f"{path} cannot be read: it is {_kind(path)}; put a plain file there") from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise SubmissionError(f"{path} is {_kind(path)}; put a plain file there")
    return open(descriptor, "rb")


@contextmanager
def reading(error_class: type[UsageError]) -> Iterator[None]:
    """Turn a refusal of this module into an error of another class."""
    try:
        yield
    except SubmissionError as error:
        raise error_class(str(error)) from error


def chunks_of(path: Path) -> Iterator[bytes]:
    """Yield the content of a regular file of any size, a little at a time.

    Raises:
        SubmissionError: The path is a link, a device or a folder, or cannot be read.
    """
    with _open_regular(path) as file:
        while chunk := file.read(CHUNK):
            yield chunk


def read_lines(packed: bytes | Iterable[bytes], where: str, caps: SizeLimits) -> Iterator[tuple[str, bytes]]:
    """Yield the place and content of each line of a gzipped JSON lines file, after checking that it is valid JSON.

    Args:
        packed: The content of the file, whole or in chunks.
        where: Name of the file, for errors.
        caps: Limits; only one line at a time is held in memory.

    Raises:
        SubmissionError: The data are not gzip, are damaged, or exceed the limits.
    """
    rest, number = b"", 0
    chunks = (packed[at : at + CHUNK] for at in range(0, len(packed), CHUNK)) if isinstance(packed, bytes) else packed
    for piece in unpack(chunks, where, caps):
        *lines, rest = (rest + piece).split(b"\n")
        if max(map(len, [*lines, rest])) > caps.line:
            raise SubmissionError(f"{where}: a line after line {number} is longer than {caps.line:,} bytes")
        for line in lines:
            number += 1
            if number > caps.lines:
                raise SubmissionError(f"{where} has more than {caps.lines:,} lines, more than any run has")
            parse_json(line, place := f"{where}, line {number}", caps.values)
            yield place, line
    if rest:
        raise SubmissionError(f"{where} does not end with a line feed: it is truncated after line {number}")


def parse_json(content: bytes, where: str, values: int) -> Any:
    """Parse strict JSON: no duplicate keys, no NaN, no number beyond 10^15, no lone surrogates, limited depth.

    Raises:
        SubmissionError: The content is not such JSON, or has more than `values` commas.
    """
    outside = STRING.sub(b"", content)
    if outside.count(b",") > values:
        raise SubmissionError(f"{where} holds more than {values:,} values, more than any run has")
    if _is_deep(outside):
        raise SubmissionError(f"{where} is nested deeper than {MAX_DEPTH} levels, deeper than any record")
    try:
        text = content.decode("utf-8")
        value = json.loads(
            text, object_pairs_hook=_object, parse_int=_integer, parse_float=_real, parse_constant=_constant
        )
        if SURROGATE.search(text):
            json.dumps(value, ensure_ascii=False).encode()
    except UnicodeDecodeError as error:
        raise SubmissionError(f"{where}: byte {error.start} is not UTF-8; write the file as UTF-8") from error
    except UnicodeEncodeError as error:
        raise SubmissionError(f"{where} holds a lone surrogate (an escape \\ud8… without its other half)") from error
    except json.JSONDecodeError as error:
        raise SubmissionError(f"{where} is not JSON: line {error.lineno}, column {error.colno}: {error.msg}") from error
    except _RefusedError as error:
        raise SubmissionError(f"{where}: {error}") from error
    return value


class _RefusedError(Exception):
    """Reason for which a value is refused."""


def unpack(chunks: Iterable[bytes], where: str, caps: SizeLimits) -> Iterator[bytes]:
    """Yield the unpacked content of a gzip file, a little at a time.

    Raises:
        SubmissionError: The data are not gzip, are damaged, or exceed the limits.
    """
    machine = zlib.decompressobj(wbits=31)
    packed = unpacked = 0
    for chunk in chunks:
        if not packed and chunk[:2] == GZIP_MAGIC and any(chunk[3:4]):
            raise SubmissionError(
                f"{where} holds a name, a comment or other data in its gzip header; write it with `ictbench submit`"
            )
        if machine.eof:
            raise _after_the_end(where)
        packed += len(chunk)
        waiting = chunk
        while waiting and not machine.eof:
            try:
                piece = machine.decompress(waiting, CHUNK)
            except zlib.error as error:
                raise SubmissionError(f"{where} is not a gzip file, or is damaged: {error}") from error
            waiting = machine.unconsumed_tail
            unpacked += len(piece)
            taken = packed - len(waiting)
            if unpacked > caps.unpacked:
                raise SubmissionError(f"{where} unpacks to more than {caps.unpacked:,} bytes, more than any run")
            if unpacked > max(MIN_RATIO_CHECKED, caps.ratio * taken):
                raise SubmissionError(f"{where} unpacks to more than {caps.ratio} times its size, more than any run")
            if piece:
                yield piece
        if machine.unused_data:
            raise _after_the_end(where)
    if not machine.eof:
        raise SubmissionError(f"{where} is truncated; copy it again")


def _after_the_end(where: str) -> SubmissionError:
    return SubmissionError(f"{where} continues after the end of the gzip data; write it with `ictbench submit`")


def _is_deep(outside: bytes) -> bool:
    """Return whether brackets outside of strings are nested too deeply."""
    depth = 0
    for bracket in outside.translate(None, NOT_BRACKETS):
        depth += 1 if bracket in b"[{" else -1
        if depth > MAX_DEPTH:
            return True
    return False


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        key, _ = Counter(name for name, _ in pairs).most_common(1)[0]
        raise _RefusedError(f"the key {ascii(key)[:80]} occurs twice; keep one of them")
    return value


def _integer(digits: str) -> int:
    if len(digits) > MAX_DIGITS or abs(value := int(digits)) > MAX_NUMBER:
        raise _too_large(digits)
    return value


def _real(digits: str) -> float:
    if len(digits) > MAX_DIGITS or abs(value := float(digits)) > MAX_NUMBER:
        raise _too_large(digits)
    return value


def _too_large(digits: str) -> _RefusedError:
    return _RefusedError(f"the number {digits:.24} is too large (beyond 10^15) or too long; no field needs that")


def _constant(word: str) -> float:
    raise _RefusedError(f"{word} is not a number")


def _kind(path: Path) -> str:
    """Return what a path is, without following links."""
    try:
        mode = path.lstat().st_mode
    except OSError as error:
        return f"not there ({error.strerror})"
    kinds = {stat.S_IFLNK: "a symbolic link", stat.S_IFDIR: "a folder", stat.S_IFREG: "a file that cannot be opened"}
    return kinds.get(stat.S_IFMT(mode), "a pipe, a socket or a device")

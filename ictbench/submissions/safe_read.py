"""Reads files that strangers wrote, in bounded time and memory.

Nothing is followed, unpacked or parsed beyond what a submission needs; what goes beyond is refused with the file, the
place, the value and what to do.
"""

from __future__ import annotations

import json
import os
import re
import stat
import zlib
from collections import Counter
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from ictbench.errors import SubmissionError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

MAX_DEPTH = 24
"""Of lists and objects within each other; a result has 7."""

MAX_INTEGER = 2**63 - 1
MAX_DIGITS = 40
"""Characters of a number."""

CHUNK = 1 << 16
MIN_RATIO_CHECKED = 1_000_000
"""Bytes unpacked before the ratio says anything."""

STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
"""Possessive, and its end optional: so it takes linear time on whatever it is given."""

NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


class SizeLimits(NamedTuple):
    """How large a compressed file of JSON lines may be."""

    unpacked: int
    """Bytes."""
    ratio: int
    """Bytes unpacked for one packed."""
    lines: int
    line: int
    """Bytes of one line."""
    values: int
    """Commas outside of strings in one line."""


def list_folder(path: Path, most: int) -> list[str]:
    """Names of what is in a folder, sorted.

    Raises:
        SubmissionError: it is no folder or a link to one, or it holds more than `most` files.
    """
    try:
        if not stat.S_ISDIR(path.lstat().st_mode):
            raise SubmissionError(f"{path} is no folder of its own but {_kind(path)}; put a folder there")
        with os.scandir(path) as entries:
            names = [entry.name for entry in islice(entries, most + 1)]
    except OSError as error:
        raise SubmissionError(f"{path} cannot be read: {error.strerror}") from error
    if len(names) > most:
        raise SubmissionError(f"{path} holds more than {most} files; take away what does not belong there")
    return sorted(names)


def check_names(path: Path, names: Collection[str]) -> Iterator[str]:
    """What is wrong with the names of a folder's files, which must be exactly these."""
    found = list_folder(path, 4 * len(names))
    for name in sorted(set(names) - set(found)):
        yield f"{path} lacks {name}; `ictbench submit` writes it"
    for name in sorted(set(found) - set(names)):
        yield f"{path} holds {name!a}, which is no part of a submission; take it away"


def read_bytes(path: Path, most: int) -> bytes:
    """A regular file of at most `most` bytes.

    Raises:
        SubmissionError: it is a link, a device, a folder or larger, or cannot be read.
    """
    try:
        # A pipe would wait for ever, and a link may lead anywhere.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise SubmissionError(f"{path} cannot be read: it is {_kind(path)}; put a plain file there") from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise SubmissionError(f"{path} is {_kind(path)}; put a plain file there")
    with open(descriptor, "rb") as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise SubmissionError(f"{path} is larger than {most:,} bytes, and no more than that is read")
    return content


def read_lines(packed: bytes, where: str, caps: SizeLimits) -> Iterator[tuple[str, bytes]]:
    """Lines of gzipped JSON lines, each with its place, unpacked piece by piece and found to be sound JSON.

    Raises:
        SubmissionError: it is no gzip, is damaged, or goes beyond the caps.
    """
    rest, number = b"", 0
    for piece in _unpack(packed, where, caps):
        *lines, rest = (rest + piece).split(b"\n")
        if max(map(len, [*lines, rest])) > caps.line:
            raise SubmissionError(f"{where}: a line after line {number} is longer than {caps.line:,} bytes")
        for line in lines:
            number += 1
            if number > caps.lines:
                raise SubmissionError(f"{where} has more than {caps.lines:,} lines, which no run has")
            parse_json(line, place := f"{where}, line {number}", caps.values)
            yield place, line
    if rest:
        raise SubmissionError(f"{where} does not end with a line feed: it is cut short after line {number}")


def parse_json(content: bytes, where: str, values: int) -> Any:
    """JSON that means one thing only: no key twice, no NaN, no number beyond 64 bits, no half characters, not deep.

    Raises:
        SubmissionError: it is no such JSON, or has more than `values` commas.
    """
    outside = STRING.sub(b"", content)
    if outside.count(b",") > values:
        raise SubmissionError(f"{where} holds more than {values:,} values, which no run has")
    if _is_deep(outside):
        raise SubmissionError(f"{where} is nested deeper than {MAX_DEPTH} levels, which no record is")
    try:
        text = content.decode("utf-8")
        value = json.loads(
            text, object_pairs_hook=_object, parse_int=_integer, parse_float=_real, parse_constant=_constant
        )
        if SURROGATE.search(text):
            json.dumps(value, ensure_ascii=False).encode()
    except UnicodeDecodeError as error:
        raise SubmissionError(f"{where}: byte {error.start} is no UTF-8; write it as UTF-8") from error
    except UnicodeEncodeError as error:
        raise SubmissionError(f"{where} holds half a character (an escape \\ud8… without its other half)") from error
    except json.JSONDecodeError as error:
        raise SubmissionError(f"{where} is no JSON: line {error.lineno}, column {error.colno}: {error.msg}") from error
    except _RefusedError as error:
        raise SubmissionError(f"{where}: {error}") from error
    return value


class _RefusedError(Exception):
    """What a value is refused for."""


def _unpack(packed: bytes, where: str, caps: SizeLimits) -> Iterator[bytes]:
    machine = zlib.decompressobj(wbits=31)
    unpacked = 0
    for start in range(0, len(packed), CHUNK):
        waiting = packed[start : start + CHUNK]
        while waiting and not machine.eof:
            try:
                piece = machine.decompress(waiting, CHUNK)
            except zlib.error as error:
                raise SubmissionError(f"{where} is no gzip file, or is damaged: {error}") from error
            waiting = machine.unconsumed_tail
            unpacked += len(piece)
            taken = min(start + CHUNK, len(packed)) - len(waiting)
            if unpacked > caps.unpacked:
                raise SubmissionError(f"{where} unpacks to more than {caps.unpacked:,} bytes, which no run does")
            if unpacked > max(MIN_RATIO_CHECKED, caps.ratio * taken):
                raise SubmissionError(f"{where} unpacks to more than {caps.ratio} times its size, which no run does")
            if piece:
                yield piece
        if machine.eof:
            break
    if not machine.eof:
        raise SubmissionError(f"{where} is cut short; copy it again")
    if machine.unused_data or start + CHUNK < len(packed):
        raise SubmissionError(f"{where} goes on after its end; write it with `ictbench submit`")


def _is_deep(outside: bytes) -> bool:
    """Whether brackets outside of strings are nested too deep."""
    depth = 0
    for bracket in outside.translate(None, NOT_BRACKETS):
        depth += 1 if bracket in b"[{" else -1
        if depth > MAX_DEPTH:
            return True
    return False


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        doubled, _ = Counter(name for name, _ in pairs).most_common(1)[0]
        raise _RefusedError(f"the key {ascii(doubled)[:80]} is there twice; which of them is meant?")
    return found


def _integer(digits: str) -> int:
    if len(digits) > MAX_DIGITS or abs(value := int(digits)) > MAX_INTEGER:
        raise _RefusedError(f"the number {digits:.24}… is beyond 64 bits, which no measure is")
    return value


def _real(digits: str) -> float:
    value = float(digits) if len(digits) <= MAX_DIGITS else float("inf")
    if value in (float("inf"), float("-inf")):
        raise _RefusedError(f"the number {digits:.24}… is too large or too long, which no measure is")
    return value


def _constant(word: str) -> float:
    raise _RefusedError(f"{word} is no number")


def _kind(path: Path) -> str:
    """What lies at a path, without following it."""
    try:
        mode = path.lstat().st_mode
    except OSError as error:
        return f"not there ({error.strerror})"
    kinds = {stat.S_IFLNK: "a symbolic link", stat.S_IFDIR: "a folder", stat.S_IFREG: "a file that cannot be opened"}
    return kinds.get(stat.S_IFMT(mode), "a pipe, a socket or a device")

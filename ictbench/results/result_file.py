"""Reading a result file: one clear line for whatever is wrong with it.

A schema's number rises when a field goes, or comes to mean something else. A field may be added under the same number,
with a default: a newer ictbench reads an older file, and an older one names the field it does not know.
"""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from ictbench._version import __version__
from ictbench.errors import ResultError
from ictbench.results.schema import SCHEMA, Result, checksum_of
from ictbench.results.schema_checks import contradictions

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def read_result(path: Path) -> Result:
    """A result file, whole and unchanged.

    Raises:
        ResultError: it cannot be read, is of another schema, is damaged, was edited, or contradicts itself.
    """
    return check_result(_parse(path), path)


def check_result(content: Any, path: Path) -> Result:
    """The result that a file's JSON holds; `path` is what errors name.

    Raises:
        ResultError: it is of another schema, is damaged, was edited, or contradicts itself.
    """
    _check_schema(path, content)
    for where, value in _not_finite(content, ""):
        raise ResultError(f"{path} is damaged: {where} is {value}, which is no number")
    try:
        result = Result.model_validate(content)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise ResultError(
            f"{path} is no result of schema {SCHEMA}: {where}: {first['msg']}{_other(content)}"
        ) from error
    for contradiction in contradictions(result):
        raise ResultError(f"{path} contradicts itself: {contradiction}")
    if "checksum" not in content:
        raise ResultError(f"{path} is no result of schema {SCHEMA}: checksum: Field required{_other(content)}")
    if content["checksum"] != checksum_of(content):
        raise ResultError(
            f"{path} was edited: its checksum is not that of its content; continue its run to have it written again"
        )
    return result


def _parse(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except OSError as error:
        raise ResultError(f"result {path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ResultError(f"{path} is no result of schema {SCHEMA}: byte {error.start} is no UTF-8") from error
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise ResultError(f"{path} is no result of schema {SCHEMA}, or is cut short: {where}: {error.msg}") from error


def _check_schema(path: Path, content: Any) -> None:
    named = content.get("schema") if isinstance(content, dict) else None
    if named == SCHEMA:
        return
    kind, _, number = str(named).partition("/")
    if kind == SCHEMA.partition("/")[0] and number.isdecimal() and int(number) > int(SCHEMA.partition("/")[2]):
        raise ResultError(
            f"{path} is of schema {named}: written by a newer ictbench than {__version__}; update ictbench"
        )
    found = "it names none" if named is None else f"its schema is {named!r:.80}"
    raise ResultError(f"{path} is no result of schema {SCHEMA}: {found}")


def _not_finite(value: Any, where: str) -> Iterator[tuple[str, float]]:
    """Places of NaN and infinity, which JSON has no words for, and a huge number becomes."""
    if isinstance(value, float) and not math.isfinite(value):
        yield where, value
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, part in inner:
        yield from _not_finite(part, f"{where}.{name}".lstrip("."))


def _other(content: dict[str, Any]) -> str:
    """The version that wrote a file, where it is another one than reads it."""
    version = content.get("ictbench")
    return "" if version == __version__ else f"; ictbench {version!s:.20} wrote it, and this is {__version__}"

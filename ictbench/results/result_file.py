"""Reading of result files.

The schema's number rises when a field is removed or changes its meaning. A field with a default may be added under the
same number: a newer ictbench reads an older file, and an older one names the unknown field.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from ictbench._version import __version__
from ictbench.errors import ResultError, SubmissionError
from ictbench.results.schema import SCHEMA, Result, checksum_of
from ictbench.results.schema_checks import contradictions
from ictbench.safe_read import parse_json, read_bytes, reading
from ictbench.validation import validation_message

if TYPE_CHECKING:
    from pathlib import Path


MAX_BYTES, MAX_VALUES = 500_000_000, 20_000_000
"""Maximum size of a result file, and maximum commas in it; the result of a standard run has 1.2 MB and 15,000."""


def read_result(path: Path) -> Result:
    """Read a result file.

    Raises:
        ResultError: The file cannot be read, has another schema, is damaged, was edited, or contradicts itself.
    """
    return check_result(_parse(path), path)


def check_result(content: Any, path: Path) -> Result:
    """Return the result in a file's JSON; `path` is for error messages.

    Raises:
        ResultError: The content has another schema, is damaged, was edited, or contradicts itself.
    """
    _check_schema(path, content)
    try:
        result = Result.model_validate(content)
    except ValidationError as error:
        raise _not_a_result(path, validation_message(error) + _written_by(content)) from error
    for contradiction in contradictions(result):
        raise ResultError(f"{path} contradicts itself: {contradiction}")
    if "checksum" not in content:
        raise _not_a_result(path, f"checksum is missing{_written_by(content)}")
    if content["checksum"] != checksum_of(content):
        raise ResultError(
            f"{path} was edited: its checksum does not match its content; continue its run to write it again"
        )
    return result


def _parse(path: Path) -> Any:
    with reading(ResultError):
        content = read_bytes(path, MAX_BYTES)
    try:
        return parse_json(content, "the file", MAX_VALUES)
    except SubmissionError as error:
        raise ResultError(f"{path} is not a result of schema {SCHEMA}, or is cut off: {error}") from error


def _check_schema(path: Path, content: Any) -> None:
    schema = content.get("schema") if isinstance(content, dict) else None
    if schema == SCHEMA:
        return
    kind, _, number = str(schema).partition("/")
    known_kind, _, known_number = SCHEMA.partition("/")
    if kind == known_kind and number.isdecimal():
        if int(number) < int(known_number):
            raise ResultError(f"{path} has schema {schema}, which ictbench {__version__} does not read; run it again")
        raise ResultError(
            f"{path} has schema {schema}, written by a newer ictbench than {__version__}; update ictbench"
        )
    raise _not_a_result(path, "no schema is given" if schema is None else f"its schema is {schema!r:.80}")


def _not_a_result(path: Path, reason: str) -> ResultError:
    return ResultError(f"{path} is not a result of schema {SCHEMA}: {reason}")


def _written_by(content: dict[str, Any]) -> str:
    """Return the version that wrote a file, if it is not the running one."""
    version = content.get("ictbench")
    return "" if version == __version__ else f"; ictbench {version!s:.20} wrote it, and this is {__version__}"

"""Messages about values that pydantic refuses, in plain English."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING, Any, cast, get_args

from ictbench.visible_text import one_line

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError

PROBLEMS = {
    "greater_than_equal": "is below the minimum of {ge}",
    "greater_than": "is not greater than {gt}",
    "less_than_equal": "is above the maximum of {le}",
    "less_than": "is not less than {lt}",
    "int_type": "is not a whole number",
    "int_parsing": "is not a whole number",
    "int_from_float": "is not a whole number",
    "float_type": "is not a number",
    "float_parsing": "is not a number",
    "finite_number": "is not a finite number",
    "bool_type": "is not true or false",
    "bool_parsing": "is not true or false",
    "string_type": "is not a text",
    "path_type": "is not a path",
    "empty_path": "is not a path",
    "tuple_type": "is not a list",
    "list_type": "is not a list",
    "dict_type": "is not a mapping",
    "model_type": "is not a mapping",
    "string_pattern_mismatch": "does not match {pattern}",
    "string_too_long": "is longer than {max_length} characters",
    "too_long": "has more than {max_length} entries",
    "too_short": "has fewer than {min_length} entries",
    "string_too_short": "is shorter than {min_length} characters",
}
"""Problems by pydantic's type of error. For other types, pydantic's own words are used."""

KEY = "[key]"
"""Stands in a place of pydantic after a key that is wrong itself."""

NOT_ONE_OF = " is not one of "
CHOICE = re.compile(r"'([^']*)'")


def validation_message(error: ValidationError, model: type[BaseModel] | None = None) -> str:
    """Return the first problem of a validation error as one line: its place, the value and what is wrong.

    An unknown field comes before a missing one, which a typo causes as well.

    Args:
        error: The error.
        model: Model of the file, whose fields are suggested for an unknown one.
    """
    more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    return validation_problems(error, 1, model)[0] + more


def validation_problems(error: ValidationError, most: int, model: type[BaseModel] | None = None) -> list[str]:
    """Return the first `most` problems, a line each: place, value, what is wrong."""
    details = sorted(error.errors(include_url=False), key=lambda detail: detail["type"] != "extra_forbidden")
    return [
        f"{_place(detail)}{':' if _has_value(detail) else ''} {describe(detail)}{_likely_field(detail, model)}"
        for detail in details[:most]
    ]


def _place(detail: Any) -> str:
    return one_line(".".join(str(part) for part in detail["loc"] if part != KEY)) or "the file"


def describe(detail: Any) -> str:
    """Return value and problem of one error of `ValidationError.errors()`, without its place."""
    kind, value = detail["type"], f"{detail['input']!r:.80}"
    if kind == "missing":
        return "is missing"
    if kind == "extra_forbidden":
        return "is not a known field"
    message = detail["msg"].removeprefix("Value error, ").rstrip(".")
    # The parser of the command line raises a ValueError of these words itself.
    expected = detail["ctx"]["expected"] if kind in ("literal_error", "enum") else message.partition(NOT_ONE_OF)[2]
    if choices := CHOICE.findall(expected):
        closest = difflib.get_close_matches(str(detail["input"]), choices, n=1)
        return f"{value} is not {_one_of(choices)}{f'; did you mean {closest[0]!r}?' if closest else ''}"
    if kind in PROBLEMS:
        return f"{value} {PROBLEMS[kind].format(**detail.get('ctx', {}))}"
    # A whole mapping, cut somewhere in its middle, says nothing.
    return message if value in message or isinstance(detail["input"], dict) else f"{message}: {value}"


def _likely_field(detail: Any, model: type[BaseModel] | None) -> str:
    """Return a suggestion for an unknown field; empty if there is none."""
    if detail["type"] != "extra_forbidden" or model is None:
        return ""
    *path, name = detail["loc"]
    inner: type[BaseModel] | None = model
    for part in path:
        if inner and part in (fields := _fields(inner)):
            inner = _model_in(fields[str(part)])
    closest = difflib.get_close_matches(str(name), _fields(inner), n=1) if inner else []
    return f"; did you mean {closest[0]!r}?" if closest else ""


def _fields(model: type[BaseModel]) -> dict[str, Any]:
    """Return the annotations of a model's fields, by their name in a file."""
    return {field.alias or name: field.annotation for name, field in model.model_fields.items()}


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """Return the model that an annotation names, alone or in a container."""
    if hasattr(annotation, "model_fields"):
        return cast("type[BaseModel]", annotation)
    return next((model for inner in get_args(annotation) if (model := _model_in(inner))), None)


def _has_value(detail: Any) -> bool:
    return detail["type"] not in ("missing", "extra_forbidden")


def _one_of(choices: list[str]) -> str:
    return f"one of {', '.join(choices)}" if len(choices) > 1 else f"{choices[0]!r}"

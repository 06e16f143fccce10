"""Messages about values that pydantic refuses, in plain English."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydantic import ValidationError

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

NOT_ONE_OF = " is not one of "
CHOICE = re.compile(r"'([^']*)'")


def validation_message(error: ValidationError) -> str:
    """Return the first problem of a validation error as one line: its place, the value and what is wrong."""
    more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    return validation_problems(error, 1)[0] + more


def validation_problems(error: ValidationError, most: int) -> list[str]:
    """Return the first `most` problems, a line each: place, value, what is wrong."""
    return [
        f"{'.'.join(map(str, detail['loc'])) or 'the file'}{':' if _has_value(detail) else ''} {describe(detail)}"
        for detail in error.errors(include_url=False)[:most]
    ]


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
    return message if value in message else f"{message}: {value}"


def _has_value(detail: Any) -> bool:
    return detail["type"] not in ("missing", "extra_forbidden")


def _one_of(choices: list[str]) -> str:
    return f"one of {', '.join(choices)}" if len(choices) > 1 else f"{choices[0]!r}"

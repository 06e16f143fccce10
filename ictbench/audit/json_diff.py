"""Differences between two JSON values."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

TOLERANCE = 1e-9
"""Relative and absolute tolerance of floats: another machine may sum in another order."""


class _Absent:
    def __repr__(self) -> str:
        return "nothing"


ABSENT = _Absent()
"""Stands for a value that does not exist."""

Place = tuple[str | int, ...]
"""Keys and indices that lead to a value."""


def differences(claimed: Any, expected: Any, place: Place = ()) -> Iterator[tuple[Place, Any, Any]]:
    """Yield each place that differs, with the claimed and the expected value."""
    if isinstance(claimed, dict) and isinstance(expected, dict):
        for name in {**expected, **claimed}:
            yield from differences(claimed.get(name, ABSENT), expected.get(name, ABSENT), (*place, name))
    elif isinstance(claimed, list) and isinstance(expected, list):
        for index in range(max(len(claimed), len(expected))):
            yield from differences(_at(claimed, index), _at(expected, index), (*place, index))
    elif not _equal(claimed, expected):
        yield place, claimed, expected


def format_place(place: Place) -> str:
    """Return a place as a reader of the file would write it, e.g. `loops[3].best`."""
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in place)
    return "".join(parts).removeprefix(".")


def _at(values: list[Any], index: int) -> Any:
    return values[index] if index < len(values) else ABSENT


def _equal(claimed: Any, expected: Any) -> bool:
    if isinstance(claimed, float) and isinstance(expected, float):
        return math.isclose(claimed, expected, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
    return type(claimed) is type(expected) and bool(claimed == expected)

"""Where two pieces of plain JSON differ."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

TOLERANCE = 1e-9
"""Relative and absolute, of floats; other machines may add in another order."""

ABSENT = object()

Place = tuple[str | int, ...]


def differences(claimed: Any, expected: Any, place: Place = ()) -> Iterator[tuple[Place, Any, Any]]:
    """Each place that differs, with the value there and the one expected; `ABSENT` where there is none."""
    if isinstance(claimed, dict) and isinstance(expected, dict):
        for name in {**expected, **claimed}:
            yield from differences(claimed.get(name, ABSENT), expected.get(name, ABSENT), (*place, name))
    elif isinstance(claimed, list) and isinstance(expected, list):
        for index in range(max(len(claimed), len(expected))):
            yield from differences(_at(claimed, index), _at(expected, index), (*place, index))
    elif not _equal(claimed, expected):
        yield place, claimed, expected


def in_words(place: Place) -> str:
    """`loops[3].best`, as a reader of the file would say it."""
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in place)
    return "".join(parts).removeprefix(".")


def _at(values: list[Any], index: int) -> Any:
    return values[index] if index < len(values) else ABSENT


def _equal(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
    return type(one) is type(other) and bool(one == other)

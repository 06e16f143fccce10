"""Base class of records that people write: options, suites, settings and pre-registrations."""

from __future__ import annotations

from pathlib import Path
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, Union, get_args, get_origin

from pydantic import ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from ictbench.records import Record

if TYPE_CHECKING:
    from collections.abc import Iterator


class HandWritten(Record):
    """Base class of records of files and options that people write.

    `true` and `yes` are not taken for 1, and an empty text is not taken for the current folder.
    """

    @field_validator("*", mode="before")
    @classmethod
    def _refuse_accidents(cls, value: Any, info: ValidationInfo) -> Any:
        annotation = cls.model_fields[str(info.field_name)].annotation
        if kind := _number_given_as_boolean(annotation, value):
            raise PydanticCustomError(f"{kind.__name__}_type", "a boolean is not a number")
        if value == "" and Path in _alternatives(annotation):
            raise PydanticCustomError("empty_path", "an empty text is not a path")
        return value


def _number_given_as_boolean(annotation: Any, value: Any) -> type[int] | type[float] | None:
    """Return the type of number for which a value, or one that it contains, is a boolean; None if there is none."""
    kinds = list(_alternatives(annotation))
    if isinstance(value, bool):
        return None if bool in kinds else next((kind for kind in (int, float) if kind in kinds), None)
    if isinstance(value, dict):
        inside = [(get_args(kind)[-1], item) for kind in kinds if get_args(kind) for item in value.values()]
    elif isinstance(value, list | tuple):
        inside = [(inner, item) for kind in kinds for inner in get_args(kind) for item in value]
    else:
        return None
    return next((found for pair in inside if (found := _number_given_as_boolean(*pair))), None)


def _alternatives(annotation: Any) -> Iterator[Any]:
    """Yield the types of a union, or the type itself, without annotations."""
    if get_origin(annotation) is Annotated:
        yield from _alternatives(get_args(annotation)[0])
    elif get_origin(annotation) in (Union, UnionType):
        for kind in get_args(annotation):
            yield from _alternatives(kind)
    else:
        yield annotation

"""Row types as columns of a data set."""

from __future__ import annotations

import json
import types
from typing import TYPE_CHECKING, Any, Literal, Union, get_args, get_origin

from ictbench.records import Record

if TYPE_CHECKING:
    from datasets import Features

PLAIN: dict[type, str] = {str: "string", bool: "bool", int: "int64", float: "float64"}


def features_of(row_type: type[Record], *, flat: bool = False) -> Features:
    """The columns of a row type; `flat` has JSON texts where there would be lists, as CSV has none."""
    from datasets import Features, Value

    found = {name: _feature(field.annotation) for name, field in row_type.model_fields.items()}
    return Features({name: Value("string") if flat and _nested(one) else one for name, one in found.items()})


def flattened(row: dict[str, Any]) -> dict[str, Any]:
    """A row with its lists as JSON texts."""
    return {
        name: json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else value
        for name, value in row.items()
    }


def _feature(annotation: Any) -> Any:
    from datasets import Value

    arguments = [argument for argument in get_args(annotation) if argument is not types.NoneType]
    origin = get_origin(annotation)
    if origin is tuple:
        return [_feature(arguments[0])]
    if origin is Literal:
        return Value(PLAIN[type(arguments[0])])
    if origin in (Union, types.UnionType):
        # Every union in a row is of one kind of value, or of that and nothing.
        return _feature(arguments[0])
    if issubclass(annotation, Record):
        return {name: _feature(field.annotation) for name, field in annotation.model_fields.items()}
    return Value(PLAIN[annotation])


def _nested(feature: Any) -> bool:
    return isinstance(feature, list | dict)

"""Conversion of record types to the column types of a data set."""

from __future__ import annotations

import json
import types
from typing import TYPE_CHECKING, Any, Literal, Union, get_args, get_origin

from ictbench.records import Record
from ictbench.results.table_text import csv_cell

if TYPE_CHECKING:
    from datasets import Features

VALUE_TYPES: dict[type, str] = {str: "string", bool: "bool", int: "int64", float: "float64"}


def features_of(row_type: type[Record], *, flat: bool = False) -> Features:
    """Return the columns of a record type; with `flat`, nested columns are JSON texts, because CSV has no lists."""
    from datasets import Features, Value

    columns = {name: _feature(field.annotation) for name, field in row_type.model_fields.items()}
    return Features({name: Value("string") if flat and _nested(type_) else type_ for name, type_ in columns.items()})


def flatten(row: dict[str, Any]) -> dict[str, Any]:
    """Return the row as CSV holds it: nested values as JSON texts, no text that a spreadsheet would evaluate."""
    return {name: _cell(value) for name, value in row.items()}


def _cell(value: Any) -> Any:
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False)
    return csv_cell(value) if isinstance(value, str) else value


def _feature(annotation: Any) -> Any:
    from datasets import Value

    arguments = [argument for argument in get_args(annotation) if argument is not types.NoneType]
    origin = get_origin(annotation)
    if origin is tuple:
        return [_feature(arguments[0])]
    if origin is Literal:
        return Value(VALUE_TYPES[type(arguments[0])])
    if origin in (Union, types.UnionType):
        # Record fields have unions of one value type, possibly with None.
        return _feature(arguments[0])
    if issubclass(annotation, Record):
        return {name: _feature(field.annotation) for name, field in annotation.model_fields.items()}
    return Value(VALUE_TYPES[annotation])


def _nested(feature: Any) -> bool:
    return isinstance(feature, list | dict)

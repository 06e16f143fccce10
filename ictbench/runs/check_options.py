"""Validation of option values."""

from __future__ import annotations

import functools
from types import GenericAlias
from typing import TYPE_CHECKING, Annotated, Any, get_args

import yaml
from pydantic import AllowInfNan, Field, JsonValue, ValidationError, create_model

from ictbench.errors import ConfigError
from ictbench.hand_written import HandWritten
from ictbench.plugins import suggest
from ictbench.validation import validation_message

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ictbench.runs.option import Option


def check_options(options: Mapping[str, Option], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values, each converted to the type of its option.

    Raises:
        ConfigError: An option is unknown, or a value does not fit.
    """
    for name in values:
        if name not in options:
            raise ConfigError(f"unknown option {name!r}; {suggest(name, options)}")
    try:
        checked = _model(tuple(options.values())).model_validate(
            {name: _split(options[name], value) for name, value in values.items()}
        )
    except ValidationError as error:
        raise ConfigError(f"option {validation_message(error)}") from error
    return {name: getattr(checked, name) for name in values}


def _split(option: Option, value: Any) -> Any:
    """Split a text with commas into a list, and texts KEY=VALUE into a mapping."""
    if option.is_list:
        parts = [value] if isinstance(value, str) else value
        if option.verbatim:
            return parts
        if isinstance(parts, list | tuple) and all(isinstance(part, str) for part in parts):
            return tuple(name.strip() for part in parts for name in part.split(",") if name.strip())
    if option.is_mapping and isinstance(value, list | tuple):
        pairs = [str(pair).partition("=") for pair in value]
        if wrong := [name for name, equals, _ in pairs if not equals]:
            raise ConfigError(f"option {option.name}: {wrong[0]!r} is not of the form KEY=VALUE")
        return {name: yaml.safe_load(text) for name, _, text in pairs}
    return value


@functools.cache
def _model(options: tuple[Option, ...]) -> type[HandWritten]:
    fields: dict[str, Any] = {option.name: (_bounded(option), option.default) for option in options}
    return create_model("Options", __base__=HandWritten, **fields)


def _bounded(option: Option) -> Any:
    """Return the type of an option with its bounds, as pydantic checks them."""
    bounds = Field(ge=option.minimum, gt=option.above, le=option.maximum)
    if not option.is_mapping:
        return Annotated[option.type, bounds]
    _, kind = get_args(option.type)
    return GenericAlias(dict, (str, JsonValue if kind is Any else Annotated[kind, bounds, AllowInfNan(False)]))

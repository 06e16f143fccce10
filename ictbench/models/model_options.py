"""Options of a model, as its spec gives them."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from pydantic import ValidationError

from ictbench.errors import ConfigError
from ictbench.records import Record

if TYPE_CHECKING:
    from ictbench.records import ModelSpec

Options = TypeVar("Options", bound=Record)


def parse_options(spec: ModelSpec, kind: type[Options]) -> Options:
    """Return the spec's options as a record of class `kind`.

    Raises:
        ConfigError: An option is unknown, or its value is not allowed.
    """
    try:
        return kind.model_validate(spec.options)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        known = ", ".join(kind.model_fields)
        raise ConfigError(f"{spec.name}: option {name!r}: {first['msg']}; options are {known}") from None

"""Options of a model, as its spec gives them: each reaches the model, or is refused."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import ValidationError

from ictbench.errors import ConfigError
from ictbench.records import Record

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from ictbench.records import ModelSpec

SAMPLING = ("temperature", "max_tokens", "top_p", "reasoning_effort", "stop")
"""Fields of a spec that are sent with each request."""
EXTRA_BODY = "extra_body"
"""Option with parameters of each request, for providers whose other options are not parameters of requests."""
SET_BY_ICTBENCH = "ictbench sets it itself"
RESERVED = {
    **dict.fromkeys(("model", "messages", "system", "stream", "stream_options", "n"), SET_BY_ICTBENCH),
    **dict.fromkeys(("functions", "function_call", "tools", "tool_choice", "parallel_tool_calls"), SET_BY_ICTBENCH),
    **dict.fromkeys(("drop_params", "num_retries", "max_retries", "mock_response"), SET_BY_ICTBENCH),
    **dict.fromkeys(("response_format", "structured_outputs", "grammar", "guided_json"), "use --actor-decoding"),
    **dict.fromkeys(
        ("max_tokens", "max_completion_tokens", "max_output_tokens", "max_new_tokens"),
        "use --actor-max-tokens or --reflector-max-tokens",
    ),
    "temperature": "use --actor-temperature or --reflector-temperature",
    **dict.fromkeys(("seed", "random_seed"), "each request has a seed of its own, derived from its task"),
    **dict.fromkeys(("timeout", "request_timeout"), "use --request-timeout"),
    **dict.fromkeys(("api_base", "base_url"), "use --actor-base-url or --reflector-base-url"),
}
"""Parameters that no option may set, and what to do instead."""
SECRET = re.compile(r"api_?key|secret|password|credential|auth|(ad|session|access)_token|headers", re.IGNORECASE)

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
        if first["type"] == "extra_forbidden":
            raise ConfigError(f"{spec.name} has no option {name!r}; options are {known}") from None
        raise ConfigError(f"{spec.name}: option {name!r}: {first['msg']}; options are {known}") from None


def request_parameters(spec: ModelSpec, options: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return options that are parameters of each request.

    Args:
        spec: The model.
        options: The options; None for all those of the spec. Those under `extra_body` are parameters too.

    Raises:
        ConfigError: ictbench sets a parameter itself, an option of ictbench sets it too, or it may be a secret.
    """
    given = dict(spec.options if options is None else options)
    extra = given.pop(EXTRA_BODY, {})
    if not isinstance(extra, dict):
        raise ConfigError(f"{spec.name}: option {EXTRA_BODY!r} is {extra!r}, not a mapping of parameters to values")
    for name in given.keys() & extra.keys():
        raise ConfigError(f"{spec.name}: option {name!r} is given twice, once under {EXTRA_BODY!r}; remove one")
    parameters = {**given, **extra}
    for name in parameters:
        if name in RESERVED:
            raise ConfigError(f"{spec.name}: {name!r} cannot be a model option: {RESERVED[name]}")
        if name in SAMPLING and getattr(spec, name):
            raise ConfigError(f"{spec.name}: {name!r} is given twice, as a model option and as an option; remove one")
        if SECRET.search(name):
            raise ConfigError(
                f"{spec.name}: {name!r} cannot be a model option, as options are stored in the result; "
                "set the provider's environment variable"
            )
    return parameters


def check_sampling(spec: ModelSpec, unsupported: Collection[str]) -> None:
    """Check that requests can carry all sampling parameters that only the user can have set.

    Args:
        spec: The model.
        unsupported: Fields of the spec that the model's requests cannot carry.

    Raises:
        ConfigError: A parameter is set that requests cannot carry.
    """
    for name in ("top_p", "reasoning_effort", "stop"):
        if getattr(spec, name) and name in unsupported:
            raise not_taken(spec, name, unsupported)


def not_taken(spec: ModelSpec, name: str, unsupported: Collection[str]) -> ConfigError:
    """Return the error for a sampling parameter that requests cannot carry."""
    flag = name.replace("_", "-")
    taken = ", ".join(name for name in SAMPLING if name not in unsupported) or "no sampling parameters"
    return ConfigError(f"{spec.name} takes no {name}; remove --actor-{flag} or --reflector-{flag} (it takes: {taken})")

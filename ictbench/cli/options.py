"""How options are declared: each is a flag, an ICTBENCH_… environment variable and a key of the --config file."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Any

import typer

from ictbench.errors import ConfigError


class ExperienceFormat(StrEnum):
    """How a reflector's model is shown its experience."""

    FULL = "full"
    EVENTS = "events"


def option(flag: str, help: str, **settings: Any) -> Any:  # noqa: A002 - typer's own word
    """A typer option with its environment variable: --batch-size is ICTBENCH_BATCH_SIZE."""
    variable = "ICTBENCH_" + flag.removeprefix("--").replace("-", "_").upper()
    return typer.Option(flag, help=help, envvar=variable, show_envvar=False, **settings)


def read_config(context: typer.Context, path: Path | None) -> Path | None:
    """Take the defaults of a command's options from a YAML file; flags and environment variables go before it.

    Raises:
        ConfigError: the file cannot be read, or holds what is no option.
    """
    if path is None:
        return None
    import yaml

    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"config {path} cannot be read: {' '.join(str(error).split())}") from error
    if not isinstance(content, dict):
        raise ConfigError(f"config {path} is no mapping of options to values, e.g. `turns: 5`")
    known = {
        flag.removeprefix("--").replace("-", "_"): parameter
        for parameter in context.command.params
        for flag in parameter.opts
        if flag.startswith("--") and flag not in ("--config", "--help")
    }
    values: dict[str, Any] = {}
    for key, value in content.items():
        name = str(key).replace("-", "_")
        if name not in known:
            from ictbench.plugins import suggest

            raise ConfigError(f"config {path}: there is no option {key!r}; {suggest(name, known)}")
        parameter = known[name]
        # One text is as good as a list of one where an option may be given several times; a mapping is its pairs.
        if isinstance(value, dict):
            value = [f"{option}={json.dumps(setting)}" for option, setting in value.items()]
        elif getattr(parameter, "multiple", False) and not isinstance(value, list):
            value = [value]
        values[str(parameter.name)] = value
    context.default_map = {**(context.default_map or {}), **values}
    return path

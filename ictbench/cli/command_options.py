"""Options of commands: each is a flag, an `ICTBENCH_…` environment variable and a key of the `--config` file."""

from __future__ import annotations

import functools
import inspect
import json
from collections.abc import Callable
from inspect import Parameter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ictbench.cli.option_values import COMPLETIONS, is_path
from ictbench.cli.unknown_variables import PREFIX
from ictbench.errors import ConfigError
from ictbench.runs.option import SELECTION
from ictbench.runs.options import options_of
from ictbench.user_folders import EMPTY_PATH

if TYPE_CHECKING:
    from ictbench.runs.option import Caller, Option


def option(flag: str, help: str, **settings: Any) -> Any:  # noqa: A002 - the word of typer
    """Return a typer option with its environment variable: `--batch-size` has ICTBENCH_BATCH_SIZE."""
    variable = PREFIX + flag.removeprefix("--").replace("-", "_").upper()
    settings.setdefault("autocompletion", COMPLETIONS.get(flag))
    return typer.Option(flag, help=help, envvar=variable, show_envvar=False, **settings)


def takes_run_options(caller: Caller) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command the options of a run that this caller takes, before its own ones.

    The command receives them as `**options`, without those that the user left at None.
    """
    options = options_of(caller)

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(command)
        def wrapper(**values: Any) -> None:
            command(**{name: value for name, value in values.items() if name not in options or value is not None})

        signature = inspect.signature(command, eval_str=True)
        own = [
            parameter.replace(kind=Parameter.KEYWORD_ONLY)
            for parameter in signature.parameters.values()
            if parameter.kind is not Parameter.VAR_KEYWORD
        ]
        shared = [_parameter(option, caller) for option in options.values()]
        wrapper.__signature__ = signature.replace(parameters=[*shared, *own])  # type: ignore[attr-defined]
        return wrapper

    return decorate


def read_config(context: typer.Context, path: Path | None) -> Path | None:
    """Take the defaults of a command's options from a YAML file; flags and environment variables take precedence.

    Raises:
        ConfigError: The file cannot be read, a key is not an option or occurs twice, or a value is of another kind.
    """
    if path is None:
        return None
    from ictbench.yaml_file import read_yaml

    try:
        content = read_yaml(path)
    except ValueError as error:
        raise ConfigError(f"config {path} cannot be read: {error}") from error
    if not isinstance(content, dict):
        raise ConfigError(f"config {path} is not a mapping of options to values, e.g. `turns: 5`")
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

            raise ConfigError(f"config {path}: {key!r} is not an option; {suggest(name, known)}")
        if known[name].name in values:
            raise ConfigError(f"config {path}: {name.replace('_', '-')!r} and {name!r} are one option; remove one")
        if problem := _problem_of_value(known[name], value):
            raise ConfigError(f"config {path}: {key}: {problem}")
        # A list option also accepts one text, and a mapping stands for its KEY=VALUE pairs.
        if isinstance(value, dict):
            value = [f"{setting}={json.dumps(item)}" for setting, item in value.items()]
        elif getattr(known[name], "multiple", False) and not isinstance(value, list):
            value = [value]
        values[str(known[name].name)] = value
    context.default_map = {**(context.default_map or {}), **values}
    return path


def _problem_of_value(parameter: Any, value: Any) -> str:
    """Return what is wrong with a value that typer would convert to something else; empty if nothing is."""
    items = value if isinstance(value, list) else [value]
    if is_path(parameter) and "" in items:
        return EMPTY_PATH
    if not parameter.is_flag and any(isinstance(item, bool) for item in items):
        return f"{json.dumps(value)} is true or false; write a number, or a text in quotes"
    return ""


def _parameter(declared: Option, caller: Caller) -> Parameter:
    """Return an option of a run as a parameter that typer understands."""
    default = declared.caller_defaults.get(caller, declared.default)
    shown = "" if default else declared.default_text
    if declared.is_list or declared.is_mapping:
        # typer collects repeated flags in a list; None leaves the default to the library.
        annotation, minimum, maximum = list[str] | None, None, None
        default, shown = None, ", ".join(default or ()) or shown
    else:
        annotation, minimum, maximum = declared.type, declared.minimum, declared.maximum
    return Parameter(
        declared.name,
        Parameter.KEYWORD_ONLY,
        default=default,
        annotation=Annotated[
            annotation,
            option(
                declared.flag,
                declared.help,
                show_default=shown or True,
                rich_help_panel=None if declared.group == SELECTION else declared.group,
                min=minimum,
                max=maximum,
            ),
        ],
    )

"""Options in the signature and docstring of a Python function, for `help()` and editors."""

from __future__ import annotations

import inspect
import itertools
import json
import textwrap
from collections.abc import Callable, Mapping, Sequence
from inspect import Parameter
from types import GenericAlias, UnionType
from typing import TYPE_CHECKING, Any, Literal, TypeVar, Union, get_args, get_origin

from ictbench.actors import Actor
from ictbench.envs import TextEnv
from ictbench.reflectors import Reflector
from ictbench.runs.options import OPTIONS

if TYPE_CHECKING:
    from ictbench.runs.option import Option

CLASSES: Mapping[str, type[Any]] = {"actor": Actor, "reflector": Reflector, "env": TextEnv}
"""Options whose value in Python may be a class, which derives from these."""

Function = TypeVar("Function", bound=Callable[..., Any])


def show_options(function: Function) -> Function:
    """Add every option of a run to the signature and docstring of a function that takes `**options`."""
    signature = inspect.signature(function)
    named = [p for p in signature.parameters.values() if p.kind is not Parameter.VAR_KEYWORD]
    options = [
        Parameter(option.name, Parameter.KEYWORD_ONLY, default=option.default, annotation=argument_type(option))
        for option in OPTIONS.values()
    ]
    function.__signature__ = signature.replace(parameters=[*named, *options])  # type: ignore[attr-defined]
    function.__doc__ = f"{inspect.cleandoc(function.__doc__ or '')}\n\n{_describe_all()}"
    return function


def argument_type(option: Option) -> Any:
    """Return the type of the values that a caller in Python may give."""
    if option.is_list:
        return str | Sequence[str] | None if option.default is None else str | Sequence[str]
    if option.is_mapping:
        return GenericAlias(Mapping, get_args(option.type)) | Sequence[str]
    if option.name in CLASSES:
        return GenericAlias(type, CLASSES[option.name]) | option.type
    return option.type


def type_text(kind: Any) -> str:
    """Return a type as it is written in code."""
    if kind is None or kind is type(None):
        return "None"
    if kind is Any:
        return "Any"
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return " | ".join(map(type_text, arguments))
    if origin is Literal:
        return f"Literal[{', '.join(map(json.dumps, arguments))}]"
    if origin is None:
        return str(kind.__name__)
    return f"{origin.__name__}[{', '.join(map(type_text, arguments))}]"


def default_text(option: Option) -> str:
    """Return the default as text."""
    if option.default_text:
        return option.default_text
    if isinstance(option.default, bool):
        return "on" if option.default else "off"
    if option.is_list and option.default:
        return ", ".join(option.default)
    return str(option.default or "none")


def _describe_all() -> str:
    lines: list[str] = []
    for group, options in itertools.groupby(OPTIONS.values(), key=lambda option: option.group):
        lines += ["", f"{group}:"]
        for option in options:
            lines.append(f"    {option.name}: {type_text(argument_type(option))} (default: {default_text(option)})")
            lines += textwrap.wrap(option.help, 100, initial_indent=" " * 8, subsequent_indent=" " * 8)
    return "\n".join(["Options:", *lines])

"""Errors in the code of plug-ins: they become a `PluginError` that says where they were raised, and during what."""

from __future__ import annotations

import traceback
from inspect import CO_ASYNC_GENERATOR, isawaitable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import ValidationError

from ictbench.errors import IctbenchError, PluginError, UsageError
from ictbench.validation import validation_message

if TYPE_CHECKING:
    from collections.abc import Awaitable
    from types import FrameType

T = TypeVar("T")

EXCERPT_CHARACTERS = 300

OWN_PACKAGE = __name__.partition(".")[0]


def plugin_error(during: str, error: Exception, plugin: type[Any] | None = None) -> PluginError:
    """Return the error that stops a run at an unexpected exception of a plug-in; its note is the traceback.

    Args:
        during: What was being done: the plug-in, its method and what it was given.
        error: The exception.
        plugin: Class of the plug-in; the innermost line of its package is named. None for the innermost line of all.
    """
    wrapped = PluginError(f"{during}: {describe_error(error)}{raised_at(error, plugin)}")
    wrapped.add_note("".join(traceback.format_exception(error)))
    wrapped.__cause__ = error
    return wrapped


def create(what: str, plugin: type[Any], /, *positional: Any, **arguments: Any) -> Any:
    """Return an instance of a plug-in.

    Raises:
        UsageError: A method is missing, or the arguments do not fit.
        PluginError: The constructor fails in another way.
    """
    check_methods(what, plugin)
    try:
        return plugin(*positional, **arguments)
    except IctbenchError:
        raise
    except TypeError as error:
        raise UsageError(f"{what} cannot be created: {error}{raised_at(error, plugin)}") from error
    except Exception as error:
        raise plugin_error(f"{what} cannot be created", error, plugin) from error


def check_base(what: str, plugin: type[Any], base: type[Any]) -> None:
    """Check that a class is derived from the class of its contract.

    Raises:
        UsageError: It is not.
    """
    if not issubclass(plugin, base):
        raise UsageError(f"{what}: {plugin.__name__} is not a subclass of {OWN_PACKAGE}.{base.__name__}")


def check_methods(what: str, plugin: type[Any]) -> None:
    """Check that a class has all methods of its contract.

    Raises:
        UsageError: Some are missing.
    """
    if missing := sorted(getattr(plugin, "__abstractmethods__", ())):
        named = " and ".join(f"{method}()" for method in missing)
        raise UsageError(f"{what}: {plugin.__name__} has no {named}; add {'it' if len(missing) == 1 else 'them'}")


def player_error(error: Exception, where: str, method: str, player: type[Any], answer: object) -> PluginError:
    """Return the error that stops a run at an unexpected exception of an actor or reflector.

    Args:
        error: What the call raised.
        where: Name of the player, and what it was given.
        method: Method that was called.
        player: Class of the player.
        answer: What the method returned; None if the call itself failed.
    """
    if answer is not None and not isawaitable(answer):
        return PluginError(f"{where}: {not_async(player, method)}")
    return plugin_error(where, error, player)


def awaitable(player: object, method: str, answer: Awaitable[T]) -> Awaitable[T]:
    """Return what a method of a player returned.

    Raises:
        PluginError: It cannot be awaited.
    """
    if not isawaitable(answer):
        raise PluginError(not_async(type(player), method))
    return answer


def not_async(player: type[Any], method: str) -> str:
    """Return what is wrong with a method that is not a coroutine function: its name, the remedy, file and line."""
    code = getattr(getattr(player, method), "__code__", None)
    place = f" ({_shown_path(code.co_filename)}, line {code.co_firstlineno})" if code else ""
    returns = " and return the result" if code and code.co_flags & CO_ASYNC_GENERATOR else ""
    return f"{player.__name__}.{method} is not async: write `async def {method}`{returns}{place}"


def asked_by(error: PluginError, where: str) -> PluginError:
    """Return the error of a model with the player that asked it."""
    error.args = (f"{error}; asked by {where}",)
    return error


def describe_error(error: BaseException) -> str:
    """Return class and message of an error as one line."""
    text = validation_message(error) if isinstance(error, ValidationError) else str(error)
    name = type(error).__name__
    return f"{name}: {' '.join(text.split())}" if text else name


def short_repr(value: object) -> str:
    """Return the start of a value's repr."""
    text = repr(value)
    return text if len(text) <= EXCERPT_CHARACTERS else f"{text[:EXCERPT_CHARACTERS]}…"


def raised_at(error: BaseException, plugin: type[Any] | None = None) -> str:
    """Return file, line and function where an error was raised, in brackets; empty if no line outside ictbench did."""
    places = [(frame, line) for frame, line in traceback.walk_tb(error.__traceback__) if _package(frame) != OWN_PACKAGE]
    own = plugin.__module__.partition(".")[0] if plugin else None
    places = [place for place in places if _package(place[0]) == own] or places
    if not places:
        return ""
    frame, line = places[-1]
    return f" ({_shown_path(frame.f_code.co_filename)}, line {line}, in {frame.f_code.co_name})"


def _package(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", "")).partition(".")[0]


def _shown_path(file: str) -> str:
    """Return a path relative to the working directory, if it lies below it."""
    path = Path(file)
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else file

"""Expressions of a text grammar, such as `o.indefinite + ' ' + o.name` or `r.name or r.id`.

They read the fields of objects, join texts and choose the first that is not empty. Nothing else is understood, and no
Python code is run.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from typing import Any

from ictbench.errors import EnvError

Expression = Callable[[Mapping[str, Any]], str]
"""Function from the variables in scope to a text."""

FIELDS = ("id", "name", "definite", "indefinite", "type")
"""Fields of an object that an expression can read."""

MAX_CHARACTERS = 200


def parse_expression(text: str) -> Expression:
    """Return the function that an expression stands for.

    Raises:
        EnvError: The text is not an expression of a grammar.
    """
    try:
        if len(text) > MAX_CHARACTERS:
            raise ValueError(f"it has more than {MAX_CHARACTERS} characters")
        return _convert(ast.parse(text.strip(), mode="eval").body)
    except (SyntaxError, ValueError) as error:
        raise EnvError(f"{text!r:.80} is not an expression of a game's grammar: {error}") from error


def _convert(node: ast.expr) -> Expression:
    match node:
        case ast.Constant(value=str(text)):
            return lambda _: text
        case ast.Name(id=name):
            return lambda variables: str(_variable(variables, name))
        case ast.Attribute(value=ast.Name(id=name), attr=field) if field in FIELDS:
            return lambda variables: str(getattr(_variable(variables, name), field))
        case ast.BinOp(left=first, op=ast.Add(), right=second):
            left, right = _convert(first), _convert(second)
            return lambda variables: left(variables) + right(variables)
        case ast.BoolOp(op=ast.Or(), values=nodes):
            choices = [_convert(choice) for choice in nodes]
            return lambda variables: next((text for choice in choices if (text := choice(variables))), "")
    raise ValueError(f"only texts, `+`, `or`, objects and their fields {', '.join(FIELDS)} are allowed")


def _variable(variables: Mapping[str, Any], name: str) -> Any:
    try:
        return variables[name]
    except KeyError:
        raise EnvError(f"an expression of the game's grammar names {name!r}, which is not in scope") from None

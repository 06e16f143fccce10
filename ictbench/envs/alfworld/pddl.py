"""Parser of PDDL problems: objects, facts and the goal."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from ictbench.errors import EnvError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

Expression: TypeAlias = "str | tuple[Expression, ...]"
"""A word, or a list of expressions in brackets."""

Atom: TypeAlias = tuple[str, ...]
"""A predicate and its arguments."""


@dataclass(frozen=True)
class Problem:
    """A planning problem. All words are in lower case, as in Fast Downward."""

    objects: Mapping[str, str]
    """Object → its type, in the order of declaration."""
    facts: tuple[Atom, ...]
    """Atoms that hold at the start."""
    goal: Expression


def parse_problem(text: str) -> Problem:
    """Parse the text of a PDDL problem.

    Raises:
        EnvError: Brackets are unbalanced, a section is missing, or a fact is not an atom.
    """
    head, *rest = _parse(text)
    if head != "define":
        raise EnvError(f"not a PDDL problem: it begins with {_shorten(head)}, not with 'define'")
    sections = {section[0]: section[1:] for section in rest if isinstance(section, tuple) and section}
    for name in (":objects", ":init", ":goal"):
        if name not in sections:
            raise EnvError(f"not a PDDL problem: the section ({name} …) is missing")
    if len(sections[":goal"]) != 1:
        raise EnvError(f"not a PDDL problem: {len(sections[':goal'])} expressions in (:goal …), expected one")
    return Problem(
        objects=dict(parse_typed_list(sections[":objects"])),
        facts=tuple(_atom(fact) for fact in sections[":init"]),
        goal=sections[":goal"][0],
    )


def parse_goal(text: str) -> Expression:
    """Parse the goal in the text of a PDDL problem, in a small part of the time that the whole text takes.

    Raises:
        EnvError: There is no goal, or it is not one expression.
    """
    start = text.lower().find("(:goal")
    depth, end = 0, start
    for bracket in re.finditer(r"[()]", text[start:]) if start >= 0 else ():
        depth += 1 if bracket[0] == "(" else -1
        if not depth:
            end = start + bracket.end()
            break
    if end == start:
        raise EnvError("not a PDDL problem: the section (:goal …) is missing, or its brackets are unbalanced")
    _, *goal = _parse(text[start:end])
    if len(goal) != 1:
        raise EnvError(f"not a PDDL problem: {len(goal)} expressions in (:goal …), expected one")
    return goal[0]


def parse_typed_list(words: Iterable[Expression]) -> Iterator[tuple[str, str]]:
    """Yield name and type for each name of a typed list such as `a b - object c - location`.

    Raises:
        EnvError: A name has no type, or is not a word.
    """
    names: list[str] = []
    remaining = iter(words)
    for word in remaining:
        if not isinstance(word, str):
            raise EnvError(f"not a PDDL problem: {_shorten(word)} in a list of names")
        if word != "-":
            names.append(word)
            continue
        kind = next(remaining, None)
        if not isinstance(kind, str):
            raise EnvError(f"not a PDDL problem: the type after {' '.join(names)!r} - is missing")
        yield from ((name, kind) for name in names)
        names = []
    if names:
        raise EnvError(f"not a PDDL problem: {names[0]!r} has no type")


def format_expression(expression: Expression) -> str:
    """Return an expression as PDDL text."""
    return expression if isinstance(expression, str) else f"({' '.join(map(format_expression, expression))})"


def _parse(text: str) -> tuple[Expression, ...]:
    """Return the single bracketed expression in `text`."""
    stack: list[list[Expression]] = [[]]
    for token in re.findall(r"[()]|[^\s()]+", re.sub(r";[^\n]*", "", text).lower()):
        if token == "(":
            stack.append([])
        elif token != ")":
            stack[-1].append(token)
        elif len(stack) == 1:
            raise EnvError("not a PDDL problem: one closing bracket too many")
        else:
            inner = tuple(stack.pop())
            stack[-1].append(inner)
    if len(stack) > 1:
        raise EnvError(f"not a PDDL problem: {len(stack) - 1} closing brackets are missing")
    top = stack[0]
    if len(top) != 1 or not isinstance(top[0], tuple) or not top[0]:
        raise EnvError(f"not a PDDL problem: {len(top)} expressions, expected one '(define …)'")
    return top[0]


def _atom(fact: Expression) -> Atom:
    words = tuple(word for word in fact if isinstance(word, str)) if isinstance(fact, tuple) else ()
    if not words or len(words) != len(fact):
        raise EnvError(f"not a PDDL problem: the fact {_shorten(fact)} is not a predicate with its arguments")
    return words


def _shorten(expression: Expression) -> str:
    """Return an expression as PDDL text of at most 80 characters."""
    text = format_expression(expression)
    return text if len(text) <= 80 else f"{text[:79]}…"

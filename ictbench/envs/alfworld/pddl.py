"""PDDL problems as data: objects, facts and a goal, read from the text of a problem."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from ictbench.errors import EnvError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

Expression: TypeAlias = "str | tuple[Expression, ...]"
"""A word, or a bracket of expressions."""

Atom: TypeAlias = tuple[str, ...]
"""A predicate and its arguments."""


@dataclass(frozen=True)
class Problem:
    """One planning problem; every word is in lower case, as fast-downward makes it."""

    objects: Mapping[str, str]
    """Object → its type, in the order of declaration."""
    facts: tuple[Atom, ...]
    """What holds at the start."""
    goal: Expression


def parse_problem(text: str) -> Problem:
    """Read the text of a PDDL problem.

    Raises:
        EnvError: the text is no problem: unbalanced brackets, a missing section, a fact that is no atom.
    """
    head, *rest = _parse(text)
    if head != "define":
        raise EnvError(f"not a PDDL problem: it begins with {_show(head)}, not with 'define'")
    sections = {section[0]: section[1:] for section in rest if isinstance(section, tuple) and section}
    for name in (":objects", ":init", ":goal"):
        if name not in sections:
            raise EnvError(f"not a PDDL problem: it has no section ({name} …)")
    if len(sections[":goal"]) != 1:
        raise EnvError(f"not a PDDL problem: {len(sections[':goal'])} expressions in (:goal …), wanted one")
    return Problem(
        objects=dict(typed(sections[":objects"])),
        facts=tuple(_atom(fact) for fact in sections[":init"]),
        goal=sections[":goal"][0],
    )


def typed(words: Iterable[Expression]) -> Iterator[tuple[str, str]]:
    """The pairs of name and type in a typed list such as `a b - object c - location`.

    Raises:
        EnvError: a name without a type, or a bracket among the names.
    """
    waiting: list[str] = []
    remaining = iter(words)
    for word in remaining:
        if not isinstance(word, str):
            raise EnvError(f"not a PDDL problem: {_show(word)} in a list of names")
        if word != "-":
            waiting.append(word)
            continue
        kind = next(remaining, None)
        if not isinstance(kind, str):
            raise EnvError(f"not a PDDL problem: no type after {' '.join(waiting)!r} -")
        yield from ((name, kind) for name in waiting)
        waiting = []
    if waiting:
        raise EnvError(f"not a PDDL problem: {waiting[0]!r} has no type")


def _parse(text: str) -> tuple[Expression, ...]:
    """The one bracketed expression that `text` holds."""
    stack: list[list[Expression]] = [[]]
    for token in re.findall(r"[()]|[^\s()]+", re.sub(r";[^\n]*", "", text).lower()):
        if token == "(":
            stack.append([])
        elif token != ")":
            stack[-1].append(token)
        elif len(stack) == 1:
            raise EnvError("not a PDDL problem: a closing bracket too many")
        else:
            done = tuple(stack.pop())
            stack[-1].append(done)
    if len(stack) > 1:
        raise EnvError(f"not a PDDL problem: {len(stack) - 1} closing brackets are missing")
    top = stack[0]
    if len(top) != 1 or not isinstance(top[0], tuple) or not top[0]:
        raise EnvError(f"not a PDDL problem: {len(top)} expressions, wanted one '(define …)'")
    return top[0]


def _atom(fact: Expression) -> Atom:
    words = tuple(word for word in fact if isinstance(word, str)) if isinstance(fact, tuple) else ()
    if not words or len(words) != len(fact):
        raise EnvError(f"not a PDDL problem: the fact {_show(fact)} is not a predicate with its arguments")
    return words


def _show(expression: Expression) -> str:
    """An expression as PDDL, cut to fit a line."""
    text = show(expression)
    return text if len(text) <= 80 else f"{text[:79]}…"


def show(expression: Expression) -> str:
    """An expression as PDDL."""
    return expression if isinstance(expression, str) else f"({' '.join(map(show, expression))})"

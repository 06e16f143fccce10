"""TextWorld's text grammar, parsed once by TextWorld's own parser and then only evaluated.

TextWorld parses each rule and query again whenever it derives a text, and copies the context deeply for every
symbol on the way; nearly all of a step goes there. The meaning is TextWorld's (`textworld.envs.pddl.textgen`):
the first rule whose condition holds; a query's matches in the order of sorted facts; distinct variables.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from ictbench.errors import EnvError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import CodeType

    from ictbench.envs.alfworld.game_state import Placeholder, Query, State

_GOAL = re.compile(r"Your task is to: ([^\"\\#{}\[\]~]*)")
_PLACE = "GOAL"


@dataclass(frozen=True, slots=True)
class Scene:
    """What a text is derived from."""

    state: State
    mapping: Mapping[Placeholder, str]
    """Objects that placeholders stand for."""
    variables: Mapping[str, Any]
    """The same by bare name, as descriptions that expressions read."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One way to derive a symbol."""

    condition: Query
    symbols: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Node:
    """One symbol of a right-hand side: a text, a name, an expression or a list, perhaps for all matches of a query."""

    text: str | None = None
    name: str | None = None
    code: CodeType | None = None
    query: Query = ()
    listed: bool = False


@dataclass(frozen=True, slots=True)
class Action:
    """How an action is commanded and told."""

    command: tuple[Node, ...]
    feedback: tuple[Node, ...]


class Grammar:
    """A game's grammar."""

    def __init__(self, rules: Mapping[str, tuple[Rule, ...]], actions: Mapping[str, Action], goal: str | None) -> None:
        self._rules = rules
        self.actions = actions
        self._goal = goal

    @classmethod
    def parse(cls, text: str) -> Grammar:
        """The grammar of a game file.

        Raises:
            EnvError: it is not one.
        """
        goals = _GOAL.findall(text)
        # Games differ in their goal's sentence only: without it, one parse serves them all.
        goal = goals[0] if len(goals) == 1 else None
        shared = text if goal is None else _GOAL.sub(f"Your task is to: {_PLACE}", text)
        return cls(*_parse(shared), goal)

    def intro(self, scene: Scene) -> str:
        """What is shown at the start."""
        return self.derive((Node(name="intro"),), scene)

    def derive(self, nodes: tuple[Node, ...], scene: Scene) -> str:
        """The text of some symbols."""
        return "".join(self._derive(node, scene) for node in nodes)

    def _derive(self, node: Node, scene: Scene) -> str:
        if node.text is not None:
            return node.text if self._goal is None else node.text.replace(_PLACE, self._goal)
        if not node.query and not node.listed:
            return self._expression(node, scene)
        parts = [self._expression(node, match) for match in _matches(node.query, scene)]
        if not node.listed:
            return "".join(parts)
        if len(parts) < 2:
            return parts[0] if parts else self._symbol("list_empty", scene)
        separator, last = self._symbol("list_separator", scene), self._symbol("list_last_separator", scene)
        return f"{separator.join(parts[:-1])}{last}{parts[-1]}"

    def _expression(self, node: Node, scene: Scene) -> str:
        if node.name is not None:
            return self._symbol(node.name, scene)
        assert node.code is not None
        # Grammars need attributes of what the scene names, and nothing of Python.
        try:
            return str(eval(node.code, {"__builtins__": {}}, dict(scene.variables)))
        except Exception as error:
            raise EnvError(f"the game's grammar cannot be told: {type(error).__name__}: {error}") from error

    def _symbol(self, name: str, scene: Scene) -> str:
        for rule in self._rules.get(name, ()):
            if not rule.condition or next(_matches(rule.condition, scene), None) is not None:
                return self.derive(rule.symbols, scene)
        raise EnvError(f"the game's grammar has no rule for #{name}# that applies")


def _matches(query: Query, scene: Scene) -> Iterator[Scene]:
    """The scene with the query's placeholders filled in, in every way that the facts allow."""
    if not query:
        yield scene
        return
    state = scene.state
    for mapping in state.matches(query, scene.mapping):
        described = {name: state.descriptions[mapping[name, kind]] for _, holes in query for name, kind in holes}
        yield Scene(state, mapping, {**scene.variables, **described})


@lru_cache(maxsize=16)
def _parse(text: str) -> tuple[dict[str, tuple[Rule, ...]], dict[str, Action]]:
    from textworld.envs.pddl.logic import GameLogic

    try:
        logic = GameLogic(domain="", grammar=text)
        rules = {
            name: tuple(Rule(_query(rule.condition), _nodes(rule.rhs)) for rule in alternatives)
            for name, alternatives in logic.grammar._rules.items()
        }
        actions = {
            name: Action(_parsed(action.template), _parsed(action.feedback_rule))
            for name, action in logic.actions.items()
        }
    except (Exception, SystemExit) as error:
        raise EnvError(f"the game's grammar cannot be read: {type(error).__name__}: {str(error)[:200]}") from error
    return rules, actions


def _parsed(text: str) -> tuple[Node, ...]:
    from textworld.envs.pddl import textgen

    return _nodes(textgen._parse_and_convert(text, rule_name="symbols"))


def _nodes(symbols: list[Any]) -> tuple[Node, ...]:
    return tuple(map(_node, symbols))


def _node(symbol: Any) -> Node:
    kind = type(symbol).__name__
    if kind == "TerminalSymbol":
        return Node(text=str(symbol.symbol))
    if kind == "NonterminalSymbol":
        return Node(name=str(symbol.symbol))
    if kind == "EvalSymbol":
        return Node(code=compile(symbol.expression.strip(), "grammar", "eval"))
    inner = symbol.symbol if kind == "ListSymbol" else symbol
    expression = _node(inner.expression) if type(inner).__name__ == "ConditionalSymbol" else _node(inner)
    query = _query(getattr(inner, "given", None))
    return Node(name=expression.name, code=expression.code, query=query, listed=kind == "ListSymbol")


def _query(text: str | None) -> Query:
    from textworld.logic import Rule as TextWorldRule

    if not text:
        return ()
    predicates = TextWorldRule.parse_conjunctive_query(text).preconditions
    return tuple((one.name, tuple((hole.name, hole.type) for hole in one.parameters)) for one in predicates)

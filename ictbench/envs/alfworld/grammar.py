"""Text grammar of TextWorld, parsed once by TextWorld's own parser and then evaluated here.

TextWorld parses every production and query again each time it derives a text, and deep-copies the context for every
symbol; that takes nearly all the time of a step. The meaning is TextWorld's (`textworld.envs.pddl.textgen`): the first
production whose condition holds is used, the matches of a query come in the order of sorted facts, and different
placeholders stand for different objects.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from ictbench.envs.alfworld.expressions import parse_expression
from ictbench.errors import EnvError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ictbench.envs.alfworld.expressions import Expression
    from ictbench.envs.alfworld.game_state import GameState, Placeholder, Query

_GOAL = re.compile(r"Your task is to: ([^\"\\#{}\[\]~]*)")
_GOAL_MARK = "GOAL"


@dataclass(frozen=True, slots=True)
class Scope:
    """Derivation context of a text: the state of the game, and the objects that placeholders stand for."""

    state: GameState
    mapping: Mapping[Placeholder, str]
    variables: Mapping[str, Any]
    """Name of a placeholder → description of its object, for expressions."""


@dataclass(frozen=True, slots=True)
class Production:
    """One way to derive a symbol."""

    condition: Query
    symbols: tuple[Symbol, ...]


@dataclass(frozen=True, slots=True)
class Symbol:
    """Symbol on the right-hand side of a production: a text, the name of another symbol, or an expression.

    With a query, it stands for all matches of the query, joined as an English list if `listed`.
    """

    text: str | None = None
    name: str | None = None
    expression: Expression | None = None
    query: Query = ()
    listed: bool = False


@dataclass(frozen=True, slots=True)
class ActionTexts:
    """Texts of an action: its command, and what is shown after it."""

    command: tuple[Symbol, ...]
    feedback: tuple[Symbol, ...]


class Grammar:
    """Grammar of a game."""

    def __init__(
        self, productions: Mapping[str, tuple[Production, ...]], actions: Mapping[str, ActionTexts], goal: str | None
    ) -> None:
        self._productions = productions
        self.actions = actions
        self._goal = goal

    @classmethod
    def parse(cls, text: str) -> Grammar:
        """Parse the grammar of a game.

        Raises:
            EnvError: The text is not a grammar.
        """
        goals = _GOAL.findall(text)
        # Games differ in the sentence of their goal only: with a mark in its place, one parse serves them all.
        goal = goals[0] if len(goals) == 1 else None
        shared = text if goal is None else _GOAL.sub(f"Your task is to: {_GOAL_MARK}", text)
        return cls(*_parse(shared), goal)

    def intro(self, scope: Scope) -> str:
        """Return the text at the start of a game."""
        return self.derive((Symbol(name="intro"),), scope)

    def derive(self, symbols: tuple[Symbol, ...], scope: Scope) -> str:
        """Return the text of a sequence of symbols.

        Raises:
            EnvError: No production applies to a symbol, or an expression names no object in scope.
        """
        return "".join(self._derive(symbol, scope) for symbol in symbols)

    def _derive(self, symbol: Symbol, scope: Scope) -> str:
        if symbol.text is not None:
            return symbol.text if self._goal is None else symbol.text.replace(_GOAL_MARK, self._goal)
        if not symbol.query and not symbol.listed:
            return self._expand(symbol, scope)
        parts = [self._expand(symbol, match) for match in _matches(symbol.query, scope)]
        if not symbol.listed:
            return "".join(parts)
        if len(parts) < 2:
            return parts[0] if parts else self._derive_name("list_empty", scope)
        separator = self._derive_name("list_separator", scope)
        last_separator = self._derive_name("list_last_separator", scope)
        return f"{separator.join(parts[:-1])}{last_separator}{parts[-1]}"

    def _expand(self, symbol: Symbol, scope: Scope) -> str:
        if symbol.name is not None:
            return self._derive_name(symbol.name, scope)
        assert symbol.expression is not None
        return symbol.expression(scope.variables)

    def _derive_name(self, name: str, scope: Scope) -> str:
        for production in self._productions.get(name, ()):
            if not production.condition or next(_matches(production.condition, scope), None) is not None:
                return self.derive(production.symbols, scope)
        raise EnvError(f"the game's grammar has no rule for #{name}# that applies")


def _matches(query: Query, scope: Scope) -> Iterator[Scope]:
    """Yield the scope extended by every match of a query."""
    if not query:
        yield scope
        return
    state = scope.state
    for mapping in state.matches(query, scope.mapping):
        described = {
            name: state.descriptions[mapping[name, kind]] for _, placeholders in query for name, kind in placeholders
        }
        yield Scope(state, mapping, {**scope.variables, **described})


@lru_cache(maxsize=16)
def _parse(text: str) -> tuple[dict[str, tuple[Production, ...]], dict[str, ActionTexts]]:
    from textworld.envs.pddl.logic import GameLogic

    try:
        logic = GameLogic(domain="", grammar=text)
        productions = {
            name: tuple(Production(_query(rule.condition), _symbols(rule.rhs)) for rule in alternatives)
            for name, alternatives in logic.grammar._rules.items()
        }
        actions = {
            name: ActionTexts(_parse_template(action.template), _parse_template(action.feedback_rule))
            for name, action in logic.actions.items()
        }
    except EnvError:
        raise
    except (Exception, SystemExit) as error:
        raise EnvError(f"the game's grammar cannot be read: {type(error).__name__}: {str(error)[:200]}") from error
    return productions, actions


def _parse_template(text: str) -> tuple[Symbol, ...]:
    from textworld.envs.pddl import textgen

    return _symbols(textgen._parse_and_convert(text, rule_name="symbols"))


def _symbols(parsed: list[Any]) -> tuple[Symbol, ...]:
    return tuple(map(_symbol, parsed))


def _symbol(parsed: Any) -> Symbol:
    """Convert a symbol as TextWorld parsed it."""
    kind = type(parsed).__name__
    if kind == "TerminalSymbol":
        return Symbol(text=str(parsed.symbol))
    if kind == "NonterminalSymbol":
        return Symbol(name=str(parsed.symbol))
    if kind == "EvalSymbol":
        return Symbol(expression=parse_expression(parsed.expression))
    inner = parsed.symbol if kind == "ListSymbol" else parsed
    content = _symbol(inner.expression) if type(inner).__name__ == "ConditionalSymbol" else _symbol(inner)
    query = _query(getattr(inner, "given", None))
    return Symbol(name=content.name, expression=content.expression, query=query, listed=kind == "ListSymbol")


def _query(text: str | None) -> Query:
    from textworld.logic import Rule as TextWorldRule

    if not text:
        return ()
    predicates = TextWorldRule.parse_conjunctive_query(text).preconditions
    return tuple(
        (predicate.name, tuple((parameter.name, parameter.type) for parameter in predicate.parameters))
        for predicate in predicates
    )

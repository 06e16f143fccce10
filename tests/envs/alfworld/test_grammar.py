"""The text grammar, on a small grammar. tests/envs/alfworld/test_alfworld_env.py compares it with TextWorld."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from ictbench.envs.alfworld import alfworld_package as package
from ictbench.envs.alfworld.expressions import parse_expression
from ictbench.envs.alfworld.game_state import GameState
from ictbench.envs.alfworld.grammar import Grammar, Scope
from ictbench.errors import EnvError

TEXT = '''
grammar :: """
{
    "intro": [{"rhs": "Here: [{t.name | in(t:thing, b:box)}]. #task#"}],
    "task": [{"rhs": "Your task is to: sort it."}],
    "tell.feedback": [
        {"condition": "open(b:box)", "rhs": "The {b.name} is open."},
        {"rhs": "The {b.name} is shut."}
    ],
    "list_empty": [{"rhs": "nothing"}],
    "list_separator": [{"rhs": ", "}],
    "list_last_separator": [{"rhs": ", and "}]
}
""";

action Tell {
    template :: "tell {b}";
    feedback :: "#tell.feedback#";
}
'''


def make_scope(*facts: tuple[str, ...], box: str | None = None) -> Scope:
    types = {"a": "thing", "b": "thing", "c": "thing", "crate": "box"}
    names = {name: SimpleNamespace(name=name.upper()) for name in types}
    state = GameState(types, {"thing": [], "box": []}, names)
    for predicate, *arguments in facts:
        state.add(predicate, tuple(arguments))
    mapping = {("b", "box"): box} if box else {}
    return Scope(state, mapping, {"b": names[box]} if box else {})


@pytest.mark.parametrize(("things", "text"), [("", "nothing"), ("b", "B"), ("ba", "A, and B"), ("cab", "A, B, and C")])
def test_lists_are_sorted_and_joined(things: str, text: str) -> None:
    facts = [("in", thing, "crate") for thing in things]
    assert Grammar.parse(TEXT).intro(make_scope(*facts)) == f"Here: {text}. Your task is to: sort it."


def test_the_first_production_whose_condition_holds_is_used() -> None:
    action = Grammar.parse(TEXT).actions["tell"]
    grammar = Grammar.parse(TEXT)
    assert grammar.derive(action.feedback, make_scope(("open", "crate"), box="crate")) == "The CRATE is open."
    assert grammar.derive(action.feedback, make_scope(box="crate")) == "The CRATE is shut."


def test_different_placeholders_stand_for_different_objects() -> None:
    state = make_scope(("in", "a", "crate"), ("in", "b", "crate")).state
    query = (("in", (("x", "thing"), ("k", "box"))), ("in", (("y", "thing"), ("k", "box"))))
    pairs = [(match["x", "thing"], match["y", "thing"]) for match in state.matches(query, {})]
    assert pairs == [("a", "b"), ("b", "a")]


def test_games_that_differ_in_their_goal_share_one_parse() -> None:
    first, second = (Grammar.parse(package.grammar(goal)) for goal in ("put a mug in shelf", "cool some egg"))
    assert first.actions is second.actions


def test_an_invalid_grammar_and_a_missing_production_are_errors() -> None:
    with pytest.raises(EnvError, match="grammar cannot be read"):
        Grammar.parse("grammar :: nothing")
    with pytest.raises(EnvError, match="no rule for #task# that applies"):
        Grammar.parse(TEXT.replace('"task"', '"duty"')).intro(make_scope())


@pytest.mark.parametrize(
    "expression",
    [
        "open('x')",
        "().__class__",
        "b.__class__",
        "b.name.upper()",
        "(c for c in b)",
        "b.name if b else b",
        "b.name * 9",
        "1",
    ],
)
def test_an_expression_that_is_more_than_fields_and_texts_is_refused(expression: str) -> None:
    with pytest.raises(EnvError, match="is not an expression of a game's grammar"):
        Grammar.parse(TEXT.replace("{b.name} is shut", f"{{{expression}}} is shut"))


def test_expressions_join_texts_and_choose_the_first_that_is_not_empty() -> None:
    thing = SimpleNamespace(id="mug_1", name="", indefinite="a")
    assert parse_expression("t.indefinite + ' ' + t.id")({"t": thing}) == "a mug_1"
    assert parse_expression("t.name or t.id")({"t": thing}) == "mug_1"
    assert parse_expression("t.name or ''")({"t": thing}) == ""
    with pytest.raises(EnvError, match="names 'x', which is not in scope"):
        parse_expression("x.name")({"t": thing})


@pytest.mark.parametrize(
    "goal",
    [
        "put {().__class__}",
        "put [{o.name | holds(a:agent, o:object)}]",
        "put #look.feedback#",
        'put "',
        "a\\nb",
        "",
        "x" * 201,
    ],
)
def test_a_goal_with_grammar_syntax_is_refused(goal: str) -> None:
    with pytest.raises(EnvError, match="a goal is a sentence of at most 200 letters"):
        package.grammar(goal)

"""The text grammar, on small grammars of our own; the sameness with TextWorld is tested with the environment."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from ictbench.envs.alfworld import alfworld_package as package
from ictbench.envs.alfworld.game_state import State
from ictbench.envs.alfworld.grammar import Grammar, Scene
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


def scene(*facts: tuple[str, ...], box: str | None = None) -> Scene:
    types = {"a": "thing", "b": "thing", "c": "thing", "crate": "box"}
    names = {name: SimpleNamespace(name=name.upper()) for name in types}
    state = State(types, {"thing": [], "box": []}, names)
    for predicate, *arguments in facts:
        state.add(predicate, tuple(arguments))
    mapping = {("b", "box"): box} if box else {}
    return Scene(state, mapping, {"b": names[box]} if box else {})


@pytest.mark.parametrize(("things", "said"), [("", "nothing"), ("b", "B"), ("ba", "A, and B"), ("cab", "A, B, and C")])
def test_lists_are_sorted_and_joined(things: str, said: str) -> None:
    facts = [("in", thing, "crate") for thing in things]
    assert Grammar.parse(TEXT).intro(scene(*facts)) == f"Here: {said}. Your task is to: sort it."


def test_the_first_rule_whose_condition_holds_is_taken() -> None:
    action = Grammar.parse(TEXT).actions["tell"]
    grammar = Grammar.parse(TEXT)
    assert grammar.derive(action.feedback, scene(("open", "crate"), box="crate")) == "The CRATE is open."
    assert grammar.derive(action.feedback, scene(box="crate")) == "The CRATE is shut."


def test_an_object_stands_for_one_placeholder_only() -> None:
    state = scene(("in", "a", "crate"), ("in", "b", "crate")).state
    query = (("in", (("x", "thing"), ("k", "box"))), ("in", (("y", "thing"), ("k", "box"))))
    pairs = [(found["x", "thing"], found["y", "thing"]) for found in state.matches(query, {})]
    assert pairs == [("a", "b"), ("b", "a")]


def test_games_that_differ_in_their_goal_share_one_parse() -> None:
    one, other = (Grammar.parse(package.grammar(goal)) for goal in ("put a mug in shelf", "cool some egg"))
    assert one.actions is other.actions


def test_a_grammar_that_is_none_and_a_rule_that_lacks_are_told() -> None:
    with pytest.raises(EnvError, match="grammar cannot be read"):
        Grammar.parse("grammar :: nothing")
    with pytest.raises(EnvError, match="no rule for #task# that applies"):
        Grammar.parse(TEXT.replace('"task"', '"duty"')).intro(scene())


def test_expressions_know_nothing_of_python() -> None:
    with pytest.raises((EnvError, NameError)):
        Grammar.parse(TEXT.replace("{b.name} is shut", "{open('x')} is shut")).derive(
            Grammar.parse(TEXT.replace("{b.name} is shut", "{open('x')} is shut")).actions["tell"].feedback,
            scene(box="crate"),
        )

"""The table of built-in players agrees with their classes, and decides without importing anything."""

from __future__ import annotations

import re
from typing import Any

import pytest
from synthetic import result

from ictbench.actors.person import HUMAN, person
from ictbench.plugins import installed, resolve
from ictbench.records import Division, ModelSpec, PluginSpec
from ictbench.submissions.known_models import HOSTED, PROVIDERS, model_problems
from ictbench.submissions.known_players import (
    ACTORS,
    KNOWN,
    REFLECTORS,
    KnownPlayer,
    PlayerRole,
    division_of,
    is_known_program,
    is_program,
    keeps_prompt,
    known_control,
    player_problems,
)
from ictbench.submissions.own_classes import own_class_problem

MODEL = ModelSpec(provider="openai", model="m")


@pytest.mark.parametrize("role", list(KNOWN))
def test_the_table_has_all_built_in_players(role: PlayerRole) -> None:
    built_in = {name for name, value in installed(role).items() if value.startswith("ictbench.")}
    # A person is no plug-in: only `ictbench play` has one to ask.
    assert {*KNOWN[role]} - {HUMAN} == built_in


def test_every_provider_has_a_name_that_no_class_may_use() -> None:
    for provider in {*PROVIDERS, *HOSTED}:
        name = re.sub("[^a-z0-9]", "_", provider)
        assert own_class_problem(f"{name}:Official", REFLECTORS), provider


def test_the_table_has_all_built_in_providers() -> None:
    assert {*PROVIDERS} == {name for name, value in installed("model").items() if value.startswith("ictbench.")}


@pytest.mark.parametrize("name", REFLECTORS)
def test_the_table_agrees_with_the_class_of_a_reflector(name: str) -> None:
    known, cls = REFLECTORS[name], resolve("reflector", name)
    assert (known.control, known.experience, known.division, known.has_model, known.wraps) == (
        cls.control,
        cls.experience,
        cls.division,
        cls.needs_model,
        cls.wraps,
    )
    assert ("experience" in known.options) == bool(cls.formats)


@pytest.mark.parametrize("name", sorted({*ACTORS} - {HUMAN}))
def test_the_table_agrees_with_the_class_of_an_actor(name: str) -> None:
    known, cls = ACTORS[name], resolve("actor", name)
    assert (known.has_model, known.sees_solution) == (cls.needs_model, cls.sees_solution)


def spec(name: str, model: ModelSpec | None = None, **options: Any) -> PluginSpec:
    return PluginSpec(label="any", name=name, options=options, model=model)


def wrapped(wrapper: str, inner: PluginSpec) -> PluginSpec:
    return spec(wrapper, inner.model, reflector=inner.model_dump(mode="json", exclude={"model"}))


def test_a_person_is_known_and_is_no_program() -> None:
    assert list(player_problems("actor", person("Ada"))) == []
    assert not is_program(person())
    assert not is_known_program("actor", person()), "nobody knows what a person played before"
    assert is_program(spec("rules"))
    assert list(player_problems("actor", person().model_copy(update={"model": MODEL}))) != []


def test_only_no_reflector_keeps_the_prompt() -> None:
    assert [name for name in REFLECTORS if keeps_prompt(spec(name))] == ["none"]
    assert keeps_prompt(wrapped("shuffled", wrapped("blind", spec("none"))))
    assert not keeps_prompt(wrapped("blind", spec("rules")))
    assert not keeps_prompt(spec("mine:Wrapper", reflector={"label": "none", "name": "none"}))
    assert not keeps_prompt(spec("mine:Reflector"))


def test_a_control_is_known_by_its_name_and_its_wrappers() -> None:
    assert known_control(spec("rules")) == ""
    assert known_control(spec("file", text="Go.")) == "its prompt was written by a person"
    assert known_control(wrapped("blind", spec("rules"))) == "it is shown no trajectory"
    twice = wrapped("reflexion", wrapped("blind", spec("rules")))
    assert known_control(twice) == (
        "it tries the same tasks in every turn, which is another protocol; it is shown no trajectory"
    )
    assert known_control(spec("my.module:Class")) is None


def test_the_division_is_that_of_the_innermost_reflector(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(REFLECTORS, "notes", KnownPlayer(division="memory"))

    def division(reflector: PluginSpec, stated: Division) -> Division:
        made = result({"read": [("00", "11")]})
        player = made.reflector.model_validate(reflector.model_dump())
        return division_of(made.model_copy(update={"reflector": player, "division": stated}))

    assert division(spec("notes"), "reflector") == "memory"
    assert division(wrapped("blind", spec("notes")), "reflector") == "memory"
    assert division(wrapped("blind", spec("rules")), "memory") == "reflector"
    assert division(spec("mine:Class"), "optimiser") == "optimiser", "only its submitter knows"
    assert division(wrapped("blind", spec("mine:Class")), "memory") == "memory"


@pytest.mark.parametrize(
    ("role", "player"),
    [
        ("reflector", spec("rules")),
        ("reflector", spec("rewrite", MODEL, experience="events")),
        ("reflector", wrapped("blind", wrapped("blind", spec("ace", MODEL)))),
        ("reflector", spec("my.module:Class", anything=1)),
        ("reflector", spec("my_lab.openai_reflector:GptReflector")),
        ("reflector", spec("meta_learner:Reflector")),
        ("reflector", spec("random_search:Reflector")),
        ("actor", spec("react", MODEL, decoding="free", history=None, action_format=2)),
        ("actor", spec("my_module:Class", MODEL)),
        ("actor", spec("react", MODEL.model_copy(update={"provider": "my:Model", "model": ""}))),
    ],
)
def test_honest_players_are_accepted(role: PlayerRole, player: PluginSpec) -> None:
    assert list(player_problems(role, player)) == []


@pytest.mark.parametrize(
    ("role", "player", "problem"),
    [
        ("reflector", spec("unheard-of"), "'unheard-of' is not a built-in one"),
        ("reflector", spec("Rules"), "'Rules' is not a built-in one"),
        ("reflector", spec("rulеs"), "is not a built-in one"),
        ("reflector", spec("ictbench.reflectors.controls.blind:BlindReflector"), "run it under its own name"),
        ("reflector", spec("IctBench:X"), "run it under its own name"),
        ("reflector", spec("antigravity:a.b"), "is not a built-in one"),
        ("reflector", spec("rules", MODEL), "'rules' has no model"),
        ("reflector", spec("rewrite"), "'rewrite' needs a model"),
        ("reflector", spec("rules", seed=1), "has no option 'seed'"),
        ("reflector", spec("blind"), "'blind' lacks the reflector that it wraps"),
        ("reflector", spec("blind", reflector={"name": 1}), "'blind' lacks the reflector that it wraps"),
        ("reflector", wrapped("blind", spec("gepa", MODEL)), "'gepa' cannot be wrapped"),
        ("reflector", wrapped("blind", spec("ictbench.x:Y")), "run it under its own name"),
        ("reflector", spec("openai.gpt9:official"), "looks like 'openai', which it is not"),
        ("reflector", spec("AnthropicOfficial:Claude"), "looks like 'anthropic'"),
        ("reflector", spec("gpt9:official"), "looks like 'gpt'"),
        ("reflector", spec("mlstral:X"), "looks like 'mistral'"),
        ("reflector", spec("meta.llama4:official"), "looks like 'meta'"),
        ("reflector", spec("blind:rules"), "looks like 'blind'"),
        ("reflector", spec("ru1es:Rules"), "looks like 'rules'"),
        ("reflector", spec("lctbench.rules:X"), "looks like 'ictbench'"),
        ("reflector", wrapped("blind", spec("openai.gpt9:official")), "looks like 'openai'"),
        (
            "reflector",
            spec("rewrite", MODEL.model_copy(update={"provider": "OpenAI"})),
            "provider 'OpenAI' is not a built",
        ),
        ("reflector", spec("rewrite", MODEL.model_copy(update={"provider": "openai:Official"})), "looks like 'openai'"),
        ("actor", spec("rules", MODEL), "'rules' has no model"),
        ("actor", spec("blind"), "'blind' is not a built-in one (human, random, react, rules, solver)"),
        ("actor", spec("react", MODEL.model_copy(update={"model": "--x"})), "'--x' is not the name of a model"),
    ],
)
def test_players_under_another_name_and_impossible_ones_are_refused(
    role: PlayerRole, player: PluginSpec, problem: str
) -> None:
    assert problem in "; ".join(player_problems(role, player))


def test_wrappers_without_end_are_refused() -> None:
    player = spec("rules")
    for _ in range(9):
        player = wrapped("blind", player)
    assert list(player_problems("reflector", player)) == ["its reflector wraps more than 8 reflectors; run with fewer"]


@pytest.mark.parametrize(
    "change",
    [
        {"model": ""},
        {"model": "a\nb"},
        {"model": " a"},
        {"model": "x/http://evil"},
        {"model": "m" * 301},
        {"temperature": 3.0},
        {"temperature": float("nan")},
        {"top_p": 1.5},
        {"max_tokens": 0},
        {"max_tokens": 10**12},
        {"timeout": float("inf")},
        {"reasoning_effort": "extreme"},
        {"stop": ("x" * 201,)},
        {"stop": ("x",) * 17},
    ],
)
def test_names_and_sampling_parameters_of_models_are_bounded(change: dict[str, Any]) -> None:
    assert list(model_problems(MODEL)) == []
    assert len(list(model_problems(MODEL.model_copy(update=change)))) == 1

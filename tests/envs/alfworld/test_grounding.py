"""The ground task is, to the byte, the translator's own."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pytest

from ictbench.envs.alfworld import alfworld_package as package
from ictbench.envs.alfworld.grounding import can_ground, ground
from ictbench.envs.alfworld.pddl_translation import _translator, translate
from ictbench.envs.alfworld.procgen import generate
from ictbench.errors import EnvError

if TYPE_CHECKING:
    from pathlib import Path

DOMAIN = """
(define (domain rules) (:requirements :adl :typing)
 (:types room thing)
 (:constants hall - room)
 (:predicates (at ?r - room) (door ?x ?y - room) (in ?t - thing ?r - room) (held ?t - thing) (lit) (locked ?r - room)
  (fixed ?t - thing))
 (:action go :parameters (?x ?y - room)
  :precondition (and (at ?x) (door ?x ?y) (not (locked ?y))) :effect (and (not (at ?x)) (at ?y)))
 (:action home :parameters () :precondition (not (at hall)) :effect (at hall))
 (:action stay :parameters (?x - room) :precondition (at ?x) :effect (and (at ?x) (not (at ?x))))
 (:action unlock :parameters (?x - room) :precondition (locked ?x) :effect (not (locked ?x)))
 (:action take :parameters (?t - thing ?r - room)
  :precondition (and (at ?r) (in ?t ?r) (not (fixed ?t)) (or (lit) (not (locked ?r))))
  :effect (and (held ?t) (not (in ?t ?r))))
 (:action switch :parameters () :precondition () :effect (and (when (lit) (not (lit))) (when (not (lit)) (lit))))
 (:action drop :parameters (?r - room) :precondition (and (at ?r) (exists (?t - thing) (held ?t)))
  :effect (forall (?t - thing) (when (held ?t) (and (in ?t ?r) (not (held ?t))))))
 (:action never :parameters (?r - room) :precondition (and (at ?r) (not (at ?r))) :effect (lit))
)
"""
PROBLEM = """
(define (problem some) (:domain rules)
 (:objects kitchen cellar - room cup table - thing)
 (:init (at kitchen) (door kitchen hall) (door hall cellar) (door hall kitchen) (in cup kitchen) (in table hall)
  (locked cellar) (fixed table))
 (:goal GOAL)
)
"""


def parse(translator: Any, domain: str, problem: str) -> Any:
    """Return the normalized task."""
    lists = (translator.lisp.parse_nested_list(text.split("\n")) for text in (domain, problem))
    task = translator.parsing.parse_task(*lists)
    translator.normalize.normalize(task)
    return task


def text_of(ground_task: Any) -> str:
    output = io.StringIO()
    ground_task.output(output)
    return output.getvalue()


@pytest.mark.parametrize(
    "goal",
    [
        "(held cup)",
        "(and (in cup cellar) (lit))",
        "(exists (?t - thing) (and (in ?t cellar) (not (held ?t))))",
        *("look", "pick-two", "heat", "clean", "cool", "pick"),
    ],
)
def test_ground_task_is_the_translators_own(goal: str, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = (
        (DOMAIN, PROBLEM.replace("GOAL", goal))
        if "(" in goal
        else (package.domain(), generate(goal, 3, "test").problem)
    )
    translator = _translator()
    from fast_downward.translate import options

    monkeypatch.setattr(options, "reorder_variables", False)
    task = parse(translator, *texts)
    assert can_ground(task)
    ours = text_of(ground(translator, task))
    assert ours == text_of(translator.translate.pddl_to_sas(parse(translator, *texts)))
    assert ours.count("begin_operator") > 5


@pytest.mark.parametrize("goal", ["(door cellar hall)", "(fixed table)", "(door kitchen hall)"])
def test_a_goal_without_a_plan_is_an_error(goal: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ICTBENCH_CACHE_DIR", str(tmp_path))
    with pytest.raises(EnvError, match="cannot be solved"):
        translate(DOMAIN, PROBLEM.replace("GOAL", goal))


def test_a_domain_with_derived_facts_is_left_to_the_translator(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ICTBENCH_CACHE_DIR", str(tmp_path))
    derived = "(:derived (busy) (exists (?t - thing) (held ?t))) (:action go "
    domain = DOMAIN.replace("(lit)", "(lit) (busy)", 1).replace("(:action go ", derived)
    domain = domain.replace("(and (at ?x) (door", "(and (busy) (at ?x) (door")
    problem = PROBLEM.replace("GOAL", "(at cellar)")
    assert not can_ground(parse(_translator(), domain, problem))
    assert "go kitchen hall" in translate(domain, problem).sas

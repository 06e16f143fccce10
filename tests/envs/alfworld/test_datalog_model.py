from __future__ import annotations

from typing import Any

import pytest

from ictbench.envs.alfworld import alfworld_package as package
from ictbench.envs.alfworld.datalog_model import derive_facts
from ictbench.envs.alfworld.pddl_translation import _translator
from ictbench.envs.alfworld.procgen import generate

DOMAIN = """
(define (domain rules) (:requirements :adl :typing)
 (:types thing)
 (:predicates (p ?x ?y - thing) (q ?x - thing) (r ?x ?y ?z - thing) (s) (t))
 (:action constant :parameters (?x - thing) :precondition (p ?x c) :effect (q ?x))
 (:action twice :parameters (?x - thing) :precondition (p ?x ?x) :effect (r ?x c ?x))
 (:action join :parameters (?x ?y ?z - thing) :precondition (and (p ?x ?y) (p ?y ?z) (q ?z)) :effect (r ?x ?y ?z))
 (:action product :parameters (?x ?y - thing) :precondition (and (q ?x) (q ?y) (s)) :effect (and (t) (p ?x ?y)))
 (:action nothing :parameters () :precondition () :effect (s))
)
"""
PROBLEM = """
(define (problem some) (:domain rules)
 (:objects a b c d - thing)
 (:init (p a b) (p b c) (p d d) (p c c) (q d))
 (:goal (and (t) (exists (?x - thing) (r ?x c ?x))))
)
"""


def program(domain: str, problem: str) -> tuple[Any, Any]:
    """Return the translator's module and the logic program of a problem."""
    translator = _translator()
    from fast_downward.translate import build_model

    task = translator.parsing.parse_task(
        *(translator.lisp.parse_nested_list(text.split("\n")) for text in (domain, problem))
    )
    translator.normalize.normalize(task)
    return build_model, translator.prolog.translate(task)


@pytest.mark.parametrize("family", ["look", "pick-two", "heat", None])
def test_model_is_the_translators_own(family: str | None) -> None:
    texts = (package.domain(), generate(family, 3, "test").problem) if family else (DOMAIN, PROBLEM)
    build_model, rules = program(*texts)
    expected = {(atom.predicate, tuple(atom.args)) for atom in build_model.compute_model(rules)}
    model = derive_facts(rules)
    assert {(predicate, arguments) for predicate, facts in model.items() for arguments in facts} == expected
    assert len(expected) > 20
